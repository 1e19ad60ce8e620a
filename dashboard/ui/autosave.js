// A box that saves itself: 0.8 s after the last key, on leaving it, and when the page takes it away.
export default function ({ data, parentElement, setStateValue }) {
  const area = parentElement.querySelector("textarea");
  const note = parentElement.querySelector(".note");
  const count = parentElement.querySelector(".count");
  parentElement.querySelector("label").textContent = data.label;
  area.maxLength = data.longest;
  area.rows = data.rows;
  area.readOnly = data.readOnly;
  const own = (area.own ??= { base: null, timer: 0, sent: null, draft: 0 });
  const words = () => {
    const used = area.value.trim().split(/\s+/).filter(Boolean).length;
    count.textContent = data.words ? `${used} of ${data.words} words` : "";
    count.classList.toggle("over", data.words > 0 && used > data.words);
  };
  // Python knows another text: take it, unless somebody is writing here or both wrote at once. While something is unsent the base
  // stays that of the text it was written on, so that the server can tell. What was drawn before the server heard of the last draft
  // knows nothing of it: nothing is taken from there.
  if (!data.clash && data.heard >= own.draft && own.base !== data.base) {
    if (own.base === null || area.value === own.sent) {
      area.value = data.text;
      own.sent = data.text;
      own.base = data.base;
    } else if (data.text === own.sent) {
      own.base = data.base;
    }
  }
  if (own.lastNote !== data.note) {
    note.textContent = data.note;
    own.lastNote = data.note;
  }
  words();
  const send = () => {
    clearTimeout(own.timer);
    if (data.readOnly || area.value === own.sent) return;
    own.sent = area.value;
    note.textContent = "Saving";
    own.lastNote = null;
    own.draft = Math.max(own.draft + 1, Date.now());
    setStateValue("draft", { text: area.value, base: own.base, number: own.draft });
  };
  area.oninput = () => {
    note.textContent = "Not saved yet";
    own.lastNote = null;
    words();
    clearTimeout(own.timer);
    own.timer = setTimeout(send, 800);
  };
  area.onblur = send;
  return send;
}
