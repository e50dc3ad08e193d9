"use strict";

// Where no answer comes, htmx changes nothing on the page, which would look as if it had been answered. The
// elements are looked for each time: htmx may have put another page in the place of the first.
const found = (id) => document.getElementById(id);

addEventListener("htmx:sendError", () => { found("unreachable").hidden = false; found("sending")?.setAttribute("hidden", ""); });
addEventListener("htmx:afterRequest", (event) => { if (event.detail.xhr.status) found("unreachable").hidden = true; });

// A file is sent without the browser's own sign that something is under way.
addEventListener("htmx:xhr:progress", ({ detail: { lengthComputable, loaded, total } }) => {
  const sending = found("sending");
  if (!sending || !lengthComputable) return;
  sending.hidden = false;
  sending.querySelector("progress").value = loaded / total;
});
