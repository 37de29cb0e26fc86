// Builds the page.

function showFrame() {
  const main = runs[0];
  document.getElementById("title").textContent = runs.length ? runs.map((run) => run.name).join(" and ") : "Detections";
  document.getElementById("subtitle").textContent =
    `${main && main.first_time ? main.first_time.slice(0, 10) + " · " : ""}written ${data.created.replace("T", " ").replace("Z", " UTC")} by dfine-report ${data.version}`;
}

// The section on the screen is marked in the navigation.
function followScroll() {
  const links = new Map([...document.querySelectorAll("#sections a")].map((a) => [a.getAttribute("href").slice(1), a]));
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    const first = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) link.classList.toggle("here", id === first);
  }, {rootMargin: "-80px 0px -40% 0px"});
  for (const id of links.keys()) observer.observe(document.getElementById(id));
}

function showPage() {
  showFrame();
  showOverview();
  showTraining();
  showValidation();
  showSettings();
  showLog();
  followScroll();
  document.body.dataset.ready = "true";
}

showPage();
