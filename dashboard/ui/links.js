// Links between our pages open without a reload: the address changes and the page that is running follows it.
(() => {
  if (window.supervisionLinks) return;
  window.supervisionLinks = true;
  document.addEventListener("click", (event) => {
    const link = event.composedPath().find((one) => one instanceof HTMLAnchorElement);
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if ((link.target && link.target !== "_self") || link.origin !== location.origin || link.pathname.startsWith("/download/")) return;
    event.preventDefault();
    history.pushState({}, "", link.href);
    dispatchEvent(new PopStateEvent("popstate"));
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  });
})();
