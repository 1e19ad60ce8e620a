// "Add a session": one short form for the keyboard. Enter saves from anywhere, a digit moves on to the next item, sums follow at once.

// The rule of dashboard/analytics/scoring.py, so that the sum is there before the server knows; the server's own is what counts.
function sumsOf(sheet, answers) {
  const made = {};
  for (const scale of sheet.sums) {
    const given = scale.items.filter((item) => answers[item] !== undefined);
    const count = scale.items.length;
    if (!given.length || given.length < count - scale.missing) continue;
    const low = sheet.itemLow, high = sheet.itemHigh;
    const summed = given.reduce((sum, item) => sum + (sheet.reverse.includes(item) ? low + high - answers[item] : answers[item]), 0);
    const whole = given.length === count ? summed : Math.floor((summed * count) / given.length + 0.5 + 1e-9);
    const mean = (summed / given.length) * (sheet.scoring === "mean_x10" ? 10 : 1);
    const factor = { sum_x4: 4, sum_x2: 2 }[sheet.scoring] ?? 1;
    const value = sheet.scoring.startsWith("mean") ? mean : whole * factor;
    made[scale.name] = { value, prorated: given.length < count };
  }
  if (sheet.eachSubscale && sheet.sums.some((scale) => scale.name !== "total" && !made[scale.name])) delete made.total;
  return made;
}

const PLAIN = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/;
const number = (text) => (PLAIN.test(text.trim()) ? Number(text.trim().replace(",", ".")) : NaN);
const shown = (value) => String(Math.round(value * 10) / 10).replace("-", "\u2212");

function make(tag, properties = {}, ...children) {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in one) one[name] = value;
    else one.setAttribute(name, value);
  }
  one.append(...children.filter((child) => child !== null && child !== undefined));
  return one;
}

function choice(options, value, properties = {}) {
  const one = make("select", properties, ...options.map(([key, words]) => make("option", { value: key, textContent: words })));
  one.value = value;
  return one;
}

let labels = 0;
function field(words, input, note) {
  input.id ||= `f${(labels += 1)}`;
  return make("div", { className: "field" }, make("label", { htmlFor: input.id, textContent: words }), input, note);
}

// One questionnaire: its numbers, whether they go by items, its live sums.
function measure(sheet, given) {
  const box = make("fieldset", { className: "measure" });
  const kinds = { outcome: "outcome", alliance: "alliance" };
  box.append(make("legend", {}, make("b", { textContent: sheet.name }), ` ${kinds[sheet.kind] ?? ""}, ${sheet.better} is better`));
  const cells = make("div", { className: "cells" });
  const sums = make("p", { className: "sums", role: "status" });
  const wrong = make("p", { className: "wrong", role: "alert" });
  const who = choice(
    sheet.respondents.map((one) => [one, `filled in by the ${one}`]),
    given.respondent ?? sheet.respondents[0],
    { className: "who" }
  );
  const swap = make("button", { type: "button", className: "quiet" });
  const way = make("div", { className: "way" });
  if (sheet.respondents.length > 1) way.append(field("Answers", who));
  if (sheet.items && !given.locked) way.append(swap);
  box.append(cells, sums, wrong);
  const one = { sheet, box, who, given, byItems: given.byItems && sheet.items > 0, inputs: [] };

  const check = () => {
    const bad = [];
    const answers = {};
    for (const { input, low, high, words, item } of one.inputs) {
      const value = number(input.value);
      const outside = input.value.trim() !== "" && !(value >= low && value <= high);
      input.setAttribute("aria-invalid", String(outside));
      if (outside) bad.push(`${words}: ${shown(low)} to ${shown(high)}`);
      else if (item && input.value.trim() !== "") answers[item] = value;
    }
    wrong.textContent = bad.join(" \u00b7 ");
    one.bad = bad;
    if (!one.byItems) {
      sums.textContent = "";
      return;
    }
    const count = Object.keys(answers).length;
    const made = sumsOf(sheet, answers);
    const parts = sheet.sums.map((scale) => {
      const found = made[scale.name];
      if (found) return `${scale.words} ${shown(found.value)}${found.prorated ? " (a missing item stood in for)" : ""}`;
      const open = scale.items.filter((item) => answers[item] === undefined).length;
      return scale.name === "total" || open < scale.items.length
        ? `${scale.words}: ${open ? `${open} missing, at most ${scale.missing}` : "each subscale first"}`
        : null;
    });
    sums.textContent = count ? `${count} of ${sheet.items} items \u00b7 ${parts.filter(Boolean).join(" \u00b7 ")}` : "";
  };

  const cell = (name, words, low, high, item) => {
    const input = make("input", { type: "text", inputMode: "decimal", autocomplete: "off", maxLength: 8, className: "num" });
    input.value = one.given.values?.[name] ?? "";
    input.setAttribute("aria-label", `${sheet.name}, ${words}, ${shown(low)} to ${shown(high)}`);
    const step = item && Number.isInteger(low) && high <= 9 && low >= 0;
    input.oninput = () => {
      check();
      if (step && /^\d$/.test(input.value) && input.getAttribute("aria-invalid") === "false") {
        const next = one.inputs[one.inputs.findIndex((other) => other.input === input) + 1];
        if (next) {
          next.input.focus();
          next.input.select();
        }
      }
    };
    input.onkeydown = (event) => {
      if (event.key !== "Backspace" || input.value !== "" || !item) return;
      const back = one.inputs[one.inputs.findIndex((other) => other.input === input) - 1];
      if (back) {
        event.preventDefault();
        back.input.focus();
        back.input.select();
      }
    };
    one.inputs.push({ input, low, high, words, item, name });
    const label = make("label", { htmlFor: (input.id = `f${(labels += 1)}`), textContent: item ? `Item ${item}` : `${words}, ${shown(low)}\u2013${shown(high)}` });
    return make("div", { className: "cell" }, label, input);
  };

  const draw = () => {
    const kept = Object.fromEntries(one.inputs.filter(({ input }) => input.value.trim()).map(({ name, input }) => [name, input.value]));
    one.given = { ...one.given, values: { ...one.given.values, ...kept } };
    one.inputs = [];
    cells.replaceChildren();
    if (one.byItems) {
      for (let item = 1; item <= sheet.items; item += 1) cells.append(cell(`item_${item}`, `Item ${item}`, sheet.itemLow, sheet.itemHigh, item));
    } else {
      for (const scale of sheet.scales) cells.append(cell(scale.name, scale.words, scale.low, scale.high, 0));
    }
    if (one.byItems) cells.append(make("span", { className: "range", textContent: `each ${shown(sheet.itemLow)} to ${shown(sheet.itemHigh)}` }));
    cells.append(way);
    swap.textContent = one.byItems ? `Enter the total of ${sheet.name}` : `Enter the items of ${sheet.name}`;
    check();
  };
  swap.onclick = () => {
    one.byItems = !one.byItems;
    draw();
    one.inputs[0].input.focus();
  };
  draw();
  one.read = () => ({
    key: sheet.key,
    respondent: who.value,
    values: Object.fromEntries(one.inputs.filter(({ input }) => input.value.trim()).map(({ name, input }) => [name, input.value.trim()])),
  });
  return one;
}

const DAY = 86400000;
const plus = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
const inWords = (day) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

function build(root, data, send) {
  const form = make("form", { noValidate: true });
  const slot = choice(data.slots.map((one) => [one.ref, one.words]), data.chosen);
  const day = make("input", { type: "date", max: "9999-12-31" });
  const time = make("input", { type: "time" });
  const status = choice(data.statuses, "attended");
  const mode = choice(data.modes, "");
  const next = make("select");
  const nextDay = make("input", { type: "date" });
  const nextTime = make("input", { type: "time" });
  const note = make("p", { className: "note" });
  const measures = [];
  const list = make("div", { className: "measures" });
  const nextOther = make("div", { className: "row inner" }, field("Day of the next", nextDay), field("Time of the next", nextTime));
  const more = choice([["", "Another questionnaire"], ...data.more.map((one) => [one.key, one.name])], "", { ariaLabel: "Add another questionnaire" });
  const save = make("button", { type: "submit", className: "save", textContent: data.save });
  const said = make("div", { className: "said", role: "alert", tabIndex: -1 });
  const chosen = () => data.slots.find((one) => one.ref === slot.value) ?? data.slots[0];
  let busy = 0;

  const offer = () => {
    const before = next.value;
    const at = time.value && day.value ? [1, 2, 3, 4].map((weeks) => [String(weeks), `${weeks} week${weeks > 1 ? "s" : ""} later: ${inWords(plus(day.value, 7 * weeks))}, ${time.value}`]) : [];
    next.replaceChildren(
      ...[["", data.booked || "not booked here"], ...at, ["other", "another day or time"]].map(([value, words]) => make("option", { value, textContent: words }))
    );
    next.value = [...next.options].some((one) => one.value === before) ? before : "";
    nextOther.hidden = next.value !== "other";
  };
  const take = () => {
    const one = chosen();
    day.value = one.day;
    time.value = one.time;
    status.value = one.status;
    mode.value = one.mode;
    for (const input of [day, time, status, mode]) input.disabled = one.fixed;
    note.textContent = one.note;
    offer();
    follow();
  };
  const follow = () => {
    const alone = status.value === "scores_only";
    time.closest(".field").hidden = alone;
    mode.closest(".field").hidden = alone;
  };
  const add = (sheet, given) => {
    const one = measure(sheet, given);
    measures.push(one);
    list.append(one.box);
    return one;
  };
  const row = make("div", { className: "row" });
  if (data.slots.length > 1) row.append(field("Which session", slot));
  row.append(field("Day", day), field("Time", time), field("What became of it", status), field("How", mode));
  const nextField = field("Next session", next);
  form.append(row, note, make("div", { className: "row" }, nextField, nextOther), list);
  more.className = "more";
  if (data.more.length) form.append(more);
  form.append(said, make("div", { className: "row end" }, save, make("span", { className: "hint", textContent: data.hint })));
  if (!data.canBook) nextField.hidden = true;
  for (const given of data.measures) add(given.sheet, given);
  slot.onchange = take;
  day.onchange = time.onchange = offer;
  next.onchange = () => {
    nextOther.hidden = next.value !== "other";
    if (next.value === "other") nextDay.focus();
  };
  status.onchange = follow;
  more.onchange = () => {
    const sheet = data.more.find((one) => one.key === more.value);
    if (!sheet) return;
    [...more.options].find((one) => one.value === sheet.key).remove();
    more.value = "";
    add(sheet, {}).inputs[0].input.focus();
  };
  take();

  const entry = (agreed) => ({
    token: data.token,
    seen: data.seen,
    agreed,
    appointment: slot.value,
    day: day.value,
    time: time.value,
    status: status.value,
    mode: mode.value,
    nextDay: next.value === "other" ? nextDay.value : next.value ? plus(day.value, 7 * Number(next.value)) : "",
    nextTime: next.value === "other" ? nextTime.value : next.value ? time.value : "",
    measures: measures.map((one) => one.read()).filter((one) => Object.keys(one.values).length),
  });
  const lock = (on) => {
    busy = on ? busy + 1 : 0;
    save.textContent = on ? "Saving" : data.save;
    save.setAttribute("aria-disabled", String(on));
  };
  const submit = (agreed = []) => {
    if (busy) return; // Enter twice, or a double click, is one entry
    const wrong = measures.find((one) => one.bad.length);
    if (wrong) {
      said.replaceChildren(make("p", { textContent: `Not saved yet. ${wrong.sheet.name}: ${wrong.bad[0]}.` }));
      wrong.box.querySelector('[aria-invalid="true"]').focus();
      return;
    }
    said.replaceChildren();
    lock(true);
    root.sent = Math.max((root.sent ?? 0) + 1, Date.now());
    const mine = root.sent;
    send({ ...entry(agreed), number: mine });
    setTimeout(() => {
      if (!busy || root.sent !== mine || root.heard >= mine) return;
      lock(false);
      said.replaceChildren(make("p", { textContent: "No answer yet. Save again: the same entry is never saved twice." }));
    }, 20000);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    submit();
  };
  form.onkeydown = (event) => {
    const target = event.target;
    if (event.key === "Enter" && target instanceof HTMLSelectElement) {
      event.preventDefault();
      submit();
    }
    // a date and a time are one stop each: within them the arrow keys move
    if (event.key === "Tab" && target instanceof HTMLInputElement && /^(date|time)$/.test(target.type)) {
      const stops = [...form.querySelectorAll("input, select, button")].filter((one) => !one.disabled && one.offsetParent !== null);
      const to = stops[stops.indexOf(target) + (event.shiftKey ? -1 : 1)];
      if (to) {
        event.preventDefault();
        to.focus();
        if (to instanceof HTMLInputElement && to.type === "text") to.select();
      }
    }
  };
  root.answer = (now) => {
    lock(false);
    said.replaceChildren();
    if (now.trouble) said.append(make("p", { textContent: now.trouble }));
    for (const words of now.questions.map((one) => one.words)) said.append(make("p", { textContent: words }));
    if (now.questions.length) {
      const yes = make("button", { type: "button", className: "save", textContent: now.yes });
      yes.onclick = () => submit(now.questions.map((one) => one.code));
      said.append(yes);
      yes.focus();
    } else if (now.trouble) said.focus();
  };
  root.replaceChildren(form);
  const first = row.querySelector("select:not(:disabled), input:not(:disabled)") ?? measures[0]?.inputs[0].input;
  if (data.focus) (chosen().fixed && measures.length ? measures[0].inputs[0].input : first)?.focus({ preventScroll: true });
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".entry");
  const send = (entry) => component.setTriggerValue("entry", entry);
  if (root.dataset.token !== data.token) {
    root.dataset.token = data.token;
    build(root, data, send);
    root.heard = data.heard;
    return;
  }
  if (data.heard > (root.heard ?? 0)) {
    root.heard = data.heard;
    root.answer(data);
  }
}
