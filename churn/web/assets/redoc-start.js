"use strict";

const family = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const options = {
  hideDownloadButtons: true,
  theme: {
    colors: { primary: { main: "#00629a" } },
    typography: { fontFamily: family, headings: { fontFamily: family } },
  },
};

async function start() {
  const response = await fetch("openapi.json");
  const description = await response.json();
  // ReDoc would show the relative address of the server as it is written.
  for (const server of description.servers) server.url = new URL(server.url, response.url).href;
  Redoc.init(description, options, document.getElementById("api"));
}

start();
