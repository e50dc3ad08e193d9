"use strict";

const family = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

Redoc.init(
  "openapi.json",
  {
    hideDownloadButtons: true,
    theme: {
      colors: { primary: { main: "#0072b2" } },
      typography: { fontFamily: family, headings: { fontFamily: family } },
    },
  },
  document.getElementById("api"),
);
