"use strict";
// The fragment of a link never reaches a server or its logs: it is read here, sent once, dropped.
(function () {
  const token = location.hash.slice(1);
  const setup = document.getElementById("setup");
  const error = document.getElementById("error");

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-Z4J": "1" },
      body: JSON.stringify(body),
    });
    if (answer.status === 204) return {};
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.detail || found.title);
    return found;
  }

  if (setup) {
    setup.addEventListener("submit", async function (event) {
      event.preventDefault();
      const field = (name) => setup.elements[name].value;
      error.textContent = "";
      try {
        const made = await post("/api/v1/auth/setup", {
          token, email: field("email"), name: field("name"),
          password: field("password"), project: field("project"),
        });
        location.replace("/p/" + made.slug);
      } catch (problem) {
        error.textContent = problem.message;
      }
    });
  } else if (token && location.pathname.startsWith("/p/")) {
    history.replaceState(null, "", location.pathname + location.search);
    post("/api/v1/auth/link", { token }).then(() => location.reload(), () => location.assign("/login"));
  }
})();
