"""Words of other systems for our closed lists, and words of frequency, amount and agreement in their order."""

from __future__ import annotations

import re
import unicodedata

CLOSED: dict[str, dict[str, str]] = {
    "status": {
        "attended": "attended|completed|complete|kept|arrived|done|held|present|show|showed|seen|checked out|fulfilled|finished|yes|y|1|true|"
        "erschienen|wahrgenommen|durchgefuhrt|anwesend|effectue|present|honore|realisado|asistio|realizada|aanwezig|voltooid|effettuato|"
        "出席|完成|已完成|到诊",
        "no_show": "no show|noshow|ns|missed|dna|did not attend|absent|not attended|failed to attend|no|n|0|false|nicht erschienen|"
        "unentschuldigt|abwesend|absent|non honore|no asistio|niet verschenen|afwezig|缺席|未到|爽约",
        "late_cancelled": "late cancelled|late canceled|late cancellation|cancelled late|late cancel|cancelled same day|kurzfristig abgesagt|"
        "cancelacion tardia|annulation tardive|临时取消",
        "cancelled_by_client": "cancelled by client|cancelled by patient|canceled by client|canceled by patient|client cancelled|"
        "client canceled|patient cancelled|patient canceled|cancelled|canceled|cancellation|rescheduled|moved|abgesagt|"
        "vom patienten abgesagt|annule|cancelada|cancelado|afgezegd|geannuleerd|annullato|取消|已取消|改期",
        "cancelled_by_clinician": "cancelled by clinician|cancelled by therapist|cancelled by provider|canceled by provider|"
        "canceled by therapist|canceled by clinician|therapist cancelled|clinician cancelled|provider cancelled|provider canceled|"
        "cancelled by practice|vom therapeuten abgesagt|治疗师取消",
        "booked": "booked|scheduled|planned|confirmed|pending|upcoming|proposed|open|geplant|vereinbart|gebucht|prevu|planifie|programada|"
        "agendada|gepland|prenotato|已预约|待就诊",
    },
    "ending": {
        "planned": "planned|completed|complete|completed treatment|treatment completed|goals met|regular|as planned|planmassig|regular beendet|"
        "termine|terminado|alta|voltooid|完成",
        "mutual": "mutual|by mutual agreement|mutual agreement|agreed|einvernehmlich|d un commun accord|mutuo acuerdo",
        "unilateral": "unilateral|dropout|drop out|dropped out|discontinued|client ended|client stopped|left|lost to follow up|no contact|"
        "abgebrochen|abbruch|abandon|abandono|afgebroken|脱落",
        "transferred": "transferred|transfer|referred on|referred|stepped up|stepped down|uberwiesen|transfere|derivado|doorverwezen|转介",
        "moved": "moved|moved away|relocated|insurance|insurance change|umgezogen|demenage|mudanza|verhuisd|搬迁",
        "other": "other|died|deceased|death|sonstige|sonstiges|autre|otro|overig|其他",
        "unknown": "unknown|not recorded|na|n a|unbekannt|inconnu|desconocido|onbekend|未知",
    },
    "mode": {
        "in_person": "in person|inperson|face to face|f2f|office|clinic|on site|onsite|vor ort|prasenz|presentiel|presencial|面对面|线下",
        "video": "video|online|telehealth|televideo|zoom|teams|virtual|videocall|visio|videollamada|beeldbellen|视频|线上",
        "phone": "phone|telephone|call|telefon|telefonisch|telephone|telefono|电话",
    },
    "kind": {
        "individual": "individual|single|one to one|1 1|einzel|einzeltherapie|individuel|individuell|个体",
        "couple": "couple|couples|paar|paartherapie|pareja|伴侣",
        "family": "family|familie|famille|familia|家庭",
        "group": "group|gruppe|gruppentherapie|groupe|grupo|groep|团体",
    },
    "preference_met": {
        "yes": "yes|y|true|1|ja|oui|si|sim|是",
        "no": "no|n|false|0|nein|non|nee|nao|否",
        "unknown": "unknown|na|n a|unbekannt|未知",
    },
    "respondent": {
        "client": "client|patient|self|self report|consumer|klient|cliente|paciente|来访者|患者",
        "clinician": "clinician|therapist|provider|staff|observer|therapeut|terapeuta|therapeute|咨询师|治疗师",
    },
    "gender": {
        "female": "f|female|woman|w|weiblich|frau|femme|feminin|mujer|femenino|vrouw|vrouwelijk|女",
        "male": "m|male|man|mannlich|mann|homme|masculin|hombre|masculino|mannelijk|男",
        "another": "x|other|another|diverse|divers|d|nonbinary|non binary|nb|anders|autre|otro|其他",
    },
    "is_trainee": {"yes": "yes|y|true|1|ja|oui|si|trainee", "no": "no|n|false|0|nein|non|nee"},
}  # fmt: skip
FREE = ("gender",)  # our column is free text: a word may also stay as it is
UNSAID = "the source does not say who cancelled; it counts as the client's unless you change it"
_ACTORLESS = {"cancelled", "canceled", "cancellation", "rescheduled", "moved", "abgesagt", "annule", "cancelada", "cancelado",
              "afgezegd", "geannuleerd", "annullato", "取消", "已取消", "改期"}  # fmt: skip

# each from least to most; words of one place are the same amount
ORDERS: dict[str, tuple[str, ...]] = {
    "frequency": (
        "never|not at all|none of the time|at no time|nie|gar nicht|uberhaupt nicht|jamais|nunca|nooit|mai|从来没有|从不|从未|完全没有",
        "seldom|rarely|hardly ever|almost never|selten|rarement|raramente|rara vez|zelden|很少|几乎不",
        "several days|a little of the time|some of the time|an einzelnen tagen|plusieurs jours|varios dias|偶尔如此|偶尔|好几天",
        "sometimes|occasionally|half the time|manchmal|gelegentlich|parfois|quelquefois|a veces|algunas veces|soms|有时如此|有时",
        "fairly often|often|frequently|more than half the days|a good part of the time|haufig|oft|souvent|a menudo|vaak|经常如此|经常|常常|一半以上天数",
        "very often|usually|most of the time|nearly every day|almost always|sehr oft|meistens|tres souvent|muy a menudo|casi todos los dias|"
        "beinahe jeden tag|presque tous les jours|几乎每天|通常",
        "always|all of the time|immer|toujours|siempre|altijd|sempre|总是如此|总是|一直",
    ),
    "amount": (
        "not at all|none|no|nothing|gar nicht|uberhaupt nicht|pas du tout|nada|helemaal niet|不符合|完全不|没有",
        "a little|slightly|a little bit|mild|mildly|to some degree|some of the time|ein wenig|etwas|un peu|un poco|een beetje|有一点|有时符合|轻度",
        "moderately|somewhat|moderate|to a considerable degree|a good part of the time|mittelmassig|ziemlich|moyennement|moderadamente|"
        "enigszins|中度|常常符合",
        "quite a bit|a lot|very|much|considerably|stark|beaucoup|bastante|behoorlijk|相当",
        "extremely|very much|severe|severely|most of the time|sehr stark|extremement|mucho|heel erg|总是符合|非常|重度",
    ),
    "agreement": (
        "strongly disagree|disagree strongly|stimme gar nicht zu|pas du tout d accord|totalmente en desacuerdo|非常不同意|完全不同意",
        "disagree|stimme nicht zu|pas d accord|en desacuerdo|不同意",
        "slightly disagree|somewhat disagree|stimme eher nicht zu|plutot pas d accord|有点不同意",
        "neutral|neither agree nor disagree|undecided|weder noch|teils teils|ni d accord ni pas d accord|中立|不确定",
        "slightly agree|somewhat agree|stimme eher zu|plutot d accord|有点同意",
        "agree|stimme zu|d accord|de acuerdo|同意",
        "strongly agree|agree strongly|stimme voll zu|tout a fait d accord|totalmente de acuerdo|非常同意|完全同意",
    ),
}  # fmt: skip


def plain(word: str) -> str:
    """A word without case, accents, signs and doubled blanks."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c)).casefold()
    return " ".join(re.split(r"[\W_]+", bare)).strip()


def _words(column: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for ours, theirs in CLOSED[column].items():
        made.setdefault(plain(ours), ours)
        for one in theirs.split("|"):
            made.setdefault(plain(one), ours)
    return made


KNOWN = {column: _words(column) for column in CLOSED}


def suggested_word(column: str, word: str) -> str | None:
    """Our word for another system's word of a closed list; null where we know none."""
    return KNOWN[column].get(plain(word))


def actor_unsaid(word: str) -> bool:
    """A cancellation that does not say who cancelled."""
    return plain(word) in _ACTORLESS


def ordered_labels(labels: list[str]) -> tuple[str, list[str]] | None:
    """The labels from least to most and the family they belong to; null unless one family knows every one, each once."""
    best: tuple[int, str, list[str]] | None = None
    for family, places in ORDERS.items():
        rank = {plain(one): place for place, words in reversed(list(enumerate(places))) for one in words.split("|")}
        found = {label: rank.get(plain(label)) for label in labels}
        known = sum(place is not None for place in found.values())
        if known < len(labels) or len(set(found.values())) < len(labels):
            continue
        order = sorted(labels, key=lambda label: found[label] or 0)
        if best is None or known > best[0]:
            best = (known, family, order)
    return None if best is None else (best[1], best[2])
