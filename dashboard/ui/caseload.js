export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".cl");
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = background || "#fff";
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(probe.fillStyle.slice(i, i + 2), 16));
  root.dataset.theme = (r * 299 + g * 587 + b * 114) / 1000 < 128 ? "dark" : "light";
  const slot = root.querySelector(".slot");
  if (slot.dataset.version !== data.version) {
    slot.innerHTML = data.html; // escaped where it was made
    slot.dataset.version = data.version;
  }
  const rows = [...slot.querySelectorAll("tbody tr")];
  const count = root.querySelector(".count");
  const box = root.querySelector("input");
  const filter = () => {
    const wanted = box.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.dataset.text.includes(wanted);
      shown += !row.hidden;
    }
    for (const fold of slot.querySelectorAll("details")) {
      const hits = [...fold.querySelectorAll("tbody tr")].some((row) => !row.hidden);
      if (wanted) fold.open = hits;
    }
    count.textContent = wanted ? `${shown} of ${rows.length} episodes shown` : "";
  };
  box.oninput = filter;
  filter();
  for (const button of slot.querySelectorAll("thead button")) {
    button.onclick = () => {
      const head = button.closest("th");
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = head.closest("table").tBodies[0];
      const key = (row) => row.cells[head.cellIndex].dataset.sort ?? "";
      const sorted = [...body.rows].sort(
        (x, y) => (key(x) === "") - (key(y) === "") || (up ? 1 : -1) * key(x).localeCompare(key(y), undefined, { numeric: true })
      );
      body.append(...sorted);
    };
  }
  return () => {
    box.oninput = null;
  };
}
