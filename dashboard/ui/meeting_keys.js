// Arrow keys step through the agenda and H hides names, unless somebody is writing.
(() => {
  if (window.supervisionKeys) return;
  window.supervisionKeys = true;
  const writes = (one) =>
    one instanceof HTMLElement && (one.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(one.tagName) || one.getAttribute("role") === "combobox");
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.composedPath().some(writes)) return;
    const step = { ArrowRight: "on", ArrowLeft: "back" }[event.key];
    const target = step
      ? document.querySelector(`a[data-step="${step}"]`)
      : event.key.toLowerCase() === "h"
        ? document.querySelector(".st-key-hide-names input")
        : null;
    if (!target) return;
    event.preventDefault();
    target.click();
  });
})();
