"use strict";

// Where no answer comes, htmx changes nothing on the page, which would look as if it had been answered.
const unreachable = document.getElementById("unreachable");

addEventListener("htmx:sendError", () => { unreachable.hidden = false; });
addEventListener("htmx:afterRequest", (event) => { if (event.detail.xhr.status) unreachable.hidden = true; });
