"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

SwaggerUIBundle({
  url: "openapi.json",
  domNode: document.getElementById("api"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // Nothing but what "Authorize" holds is sent: no cookie, and no password that the browser remembers.
  requestInterceptor: (request) => Object.assign(request, { credentials: "omit" }),
  validatorUrl: null,
});
