"""What other systems call our tables and columns, in English and a few other languages; compared without case or accents."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CLIENT = (
    "client patient individual person member participant subject consumer klient patientin klientin cliente paciente "
    "usager cliënt deelnemer teilnehmer paziente utente 来访者 患者 病人 参与者 被试"
)
CLINICIAN = (
    "clinician therapist provider employee staff practitioner counsellor counselor psychologist behandler therapeut "
    "behandelaar therapeutin thérapeute terapeuta clínico psicólogo psychotherapeut hulpverlener 咨询师 治疗师"
)
EPISODE = (
    "episode enrollment enrolment case treatment course fall behandlung behandlungsfall traject épisode episodio 疗程"
)
APPOINTMENT = (
    "appointment visit session encounter contact booking termin sitzung afspraak zitting rdv séance cita sesión "
    "consulta seduta appuntamento sessão 预约"
)
SUPERVISOR = "supervisor supervisorin superviseur supervisora supervisore 督导"
SUPERVISEE = "supervisee supervisand trainee supervisado supervisé 被督导"
_ID = (
    "id",
    "no",
    "nr",
    "number",
    "num",
    "nummer",
    "numero",
    "key",
    "ref",
    "uid",
    "identifier",
    "kennung",
    "编号",
    "号",
)


def _ids(concept: str) -> tuple[str, ...]:
    """A concept's own words, and each with a word for a number behind it."""
    words = concept.split()
    return (*words, *(f"{word} {one}" for word in words for one in _ID))


ID_NAMES: dict[str, tuple[str, ...]] = {
    "client_id": _ids(CLIENT),
    "clinician_id": _ids(CLINICIAN),
    "episode_id": _ids(EPISODE),
    "appointment_id": _ids(APPOINTMENT),
    "supervisor_id": _ids(SUPERVISOR),
    "supervisee_id": _ids(SUPERVISEE),
    "cover_id": ("cover", "cover id", "covered by", "vertretung", "remplaçant", "waarnemer"),
}
BARE_ID = ("id", "pid", "编号", "key", "record id", "study id", "code", "nr", "no", "number")

# our column -> what it is called elsewhere; the best known first
NAMES: dict[str, tuple[str, ...]] = {
    **ID_NAMES,
    "display_name": ("display name", "full name", "name", "employee name", "therapist name", "nom", "nombre", "naam", "姓名"),
    "started_on": ("started on", "start date", "hired on", "hire date", "eintritt", "in dienst"),
    "ended_on": ("ended on", "end date", "left on", "austritt", "uit dienst"),
    "is_trainee": ("is trainee", "trainee", "in training", "ausbildung"),
    "from": ("from", "start date", "start", "begin", "valid from", "von", "ab", "van", "desde", "du"),
    "to": ("to", "end date", "end", "until", "valid to", "bis", "tot", "hasta", "au"),
    "client_code": ("client code", "initials", "pseudonym", "alias", "chiffre"),
    "birth_year": ("birth year", "year of birth", "geburtsjahr", "année de naissance", "año de nacimiento", "geboortejaar"),
    "gender": ("gender", "sex", "geschlecht", "sexe", "sexo", "género", "genre", "geslacht", "sesso", "性别"),
    "ethnicity": ("ethnicity", "ethnic group", "race", "etnia", "etniciteit", "民族"),
    "opened_on": (
        "opened on", "start date", "opened", "intake date", "intake", "admission date", "admitted on", "admission", "enrolled on",
        "enrollment date", "start", "begin", "beginn", "aufnahme", "startdatum", "date début", "fecha inicio", "开始日期",
    ),
    "referred_on": ("referred on", "referral date", "referral", "überweisung", "verwijsdatum", "fecha derivación"),
    "closed_on": (
        "closed on", "end date", "closed", "discharge date", "discharged on", "ended on", "end", "ende", "entlassung",
        "abschluss", "einddatum", "date fin", "fecha fin", "结束日期",
    ),
    "ending": (
        "ending", "discharge reason", "end reason", "closure reason", "reason for ending", "termination reason", "termination",
        "discharge type", "beendigung", "motif fin", "motivo alta", "reden einde",
    ),
    "problem_area": (
        "problem area", "presenting problem", "diagnosis", "problem", "reason for referral", "diagnose", "diagnostic",
        "diagnóstico", "诊断",
    ),
    "kind": ("kind", "therapy type", "treatment type", "episode type", "setting"),
    "planned_sessions": ("planned sessions", "sessions planned", "authorised sessions", "authorized sessions"),
    "preference_met": ("preference met", "preferences met"),
    "change_requested_on": ("change requested on", "change requested"),
    "starts_at": (
        "starts at", "scheduled start", "start time", "appointment date", "appointment time", "visit date", "session date",
        "scheduled at", "date time", "datetime", "start", "date", "day", "termin", "datum", "fecha", "data", "日期", "时间",
    ),
    "status": (
        "status", "visit status", "appointment status", "attendance status", "attendance", "attended", "show", "anwesenheit",
        "teilnahme", "statut", "estado", "asistencia", "stato", "状态", "出勤",
    ),
    "mode": ("mode", "delivery", "channel", "medium", "modality", "format", "modus", "modalidad", "modalité"),
    "booked_on": ("booked on", "date booked", "booking date"),
    "taken_on": (
        "taken on", "assessed at", "assessed on", "assessment date", "completed at", "completed on", "completion date",
        "submitted at", "submit date", "submitted", "timestamp", "survey date", "date", "day", "time", "week", "visit date",
        "session date", "datum", "tag", "woche", "fecha", "día", "semana", "jour", "semaine", "dag", "日期", "时间", "周", "天",
    ),
    "instrument": (
        "instrument", "instrument code", "instrument name", "measure", "measure name", "questionnaire", "scale name", "test",
        "fragebogen", "vragenlijst", "instrumento", "échelle", "量表",
    ),
    "scale": ("scale", "subscale", "item", "item number", "item no", "question number", "skala", "subskala", "escala"),
    "value": (
        "value", "score", "total score", "total", "response value", "raw score", "points", "sum", "score value", "response",
        "answer", "wert", "punktwert", "summe", "puntaje", "puntuación", "valeur", "waarde", "totaalscore", "得分",
        "分数", "总分",
    ),
    "respondent": ("respondent", "rater", "completed by", "informant", "rated by", "ausgefüllt von"),
    "recorded_on": ("recorded on", "entered on", "date entered"),
}  # fmt: skip

# our table -> words of a file's name
TABLES: dict[str, str] = {
    "clinicians": CLINICIAN + " team user arzt",
    "leave": "leave absence absences holiday urlaub abwesenheit congé ausencia verlof",
    "supervision": "supervision supervisions",
    "clients": CLIENT + " demographics stammdaten",
    "episodes": EPISODE + " admission intake program programme",
    "appointments": APPOINTMENT + " attendance schedule calendar kalender agenda",
    "scores": "score result outcome measure assessment survey questionnaire response answer fragebogen messung resultado "
    "encuesta bdi phq gad ors srs wai core dass 量表 问卷",
}


@lru_cache(maxsize=20_000)
def tokens(name: str) -> tuple[str, ...]:
    """The words of a column's name: camelCase and signs split, no case, no accents; other scripts stay whole."""
    spaced = re.sub(r"(?<=[a-zà-ÿ\d])(?=[A-Z])", " ", name)
    plain = "".join(c for c in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(c)).casefold()
    plain = re.sub(r"(?<=[a-z])(?=\d)", " ", plain)
    return tuple(word for word in re.split(r"[\W_]+", plain) if word)


@lru_cache(maxsize=2_000)
def _phrase(words: str) -> tuple[str, ...]:
    return tokens(words)


def likeness(name: str, called: tuple[str, ...]) -> float:
    """0 to 1: how much a column's name is one of these; a name of more words than ours is less sure.

    1 where they are the same words, 0.85 where the name ends in them, 0.7 where it begins with them; 0.6 inside a name of a
    script without blanks.
    """
    own = tokens(name)
    best = 0.0
    for place, phrase in enumerate(called):
        words = _phrase(phrase)
        if not words or not own:
            continue
        if own == words:
            score = 1.0
        elif len(words) < len(own) and own[-len(words) :] == words:
            score = 0.85
        elif len(words) < len(own) and own[: len(words)] == words:
            score = 0.7
        elif len(phrase) > 1 and _whole(phrase) and phrase in "".join(own) and len(name) <= len(phrase) + 4:
            score = 0.6
        else:
            continue
        best = max(best, score - 0.004 * place)
    return best


def _whole(phrase: str) -> bool:
    """A script that sets no blanks between words."""
    return any("\u3000" <= c <= "\u9fff" for c in phrase)


def table_likeness(stem: str, table: str) -> float:
    """0 to 1: how much a file's name is that of one of our tables; the last words of a name say most."""
    own = tokens(stem)
    if not own:
        return 0.0
    if "_".join(own) == table:
        return 1.0
    words = {_singular(one) for phrase in TABLES[table].split() for one in _phrase(phrase)} | {_singular(table)}
    last = _singular(own[-1])
    if last in words:
        return 0.9 if len(own) == 1 else 0.8
    return 0.3 if any(_singular(one) in words for one in own) else 0.0


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
