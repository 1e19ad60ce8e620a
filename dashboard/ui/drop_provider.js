// Lets go of what single sign-on left in this browser: it opens nothing here.
fetch("/session/drop-provider", { method: "POST", credentials: "same-origin" });
