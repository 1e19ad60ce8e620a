// Finds an episode by typing: the first match opens with Enter.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".find");
  const version = JSON.stringify(data.rows);
  if (root.dataset.version === version) return;
  root.dataset.version = version;
  const label = document.createElement("label");
  const box = document.createElement("input");
  const list = document.createElement("ul");
  const none = document.createElement("p");
  label.htmlFor = box.id = "find";
  label.textContent = data.label;
  box.type = "search";
  box.autocomplete = "off";
  none.setAttribute("role", "status");
  for (const row of data.rows) {
    const link = document.createElement("a");
    link.href = row.href;
    link.target = "_self";
    link.textContent = row.code;
    const note = document.createElement("small");
    note.textContent = row.note;
    const item = document.createElement("li");
    item.dataset.text = `${row.code} ${row.note}`.toLowerCase();
    item.append(link, " ", note);
    list.append(item);
  }
  const items = [...list.children];
  const filter = () => {
    const wanted = box.value.trim().toLowerCase();
    let shown = 0;
    for (const item of items) {
      item.hidden = !item.dataset.text.includes(wanted);
      shown += !item.hidden;
    }
    none.textContent = shown ? "" : "No open episode of that code.";
  };
  box.oninput = filter;
  box.onkeydown = (event) => {
    if (event.key !== "Enter" || !box.value.trim()) return;
    event.preventDefault();
    items.find((item) => !item.hidden)?.querySelector("a").click();
  };
  root.replaceChildren(label, box, none, list);
  box.focus({ preventScroll: true });
}
