// Trades the one-time code of a fresh sign-in for the session's cookie, which no script can read.
fetch("/session/bind", { method: "POST", body: document.currentScript.dataset.code, credentials: "same-origin" });
