// Builds the page.

function showFrame() {
  const main = runs[0];
  document.getElementById("title").textContent = runs.length ? runs.map((run) => run.name).join(
    " and ") : "Detections";
  document.getElementById("subtitle").textContent =
    (main && main.first_time ? main.first_time.slice(0, 10) + " · " : "") +
    `written ${data.created.replace("T", " ").replace("Z", " UTC")} ` +
    `by dfine-report ${data.version}`;
}

// The section on the screen is marked in the navigation.
function followScroll() {
  const links = new Map([...document.querySelectorAll("#sections a")].map((a) => [a.getAttribute(
    "href").slice(1), a]));
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    const first = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) link.classList.toggle("here", id === first);
  }, { rootMargin: "-80px 0px -40% 0px" });
  for (const id of links.keys()) observer.observe(document.getElementById(id));
}

async function showDetections() {
  if (!data.detections) return;
  const page = data.detections;
  details = page.details;
  classNames = details.classes.map((of) => of.name);
  const group = el("div", {}); // the slider stays in sight within it
  document.getElementById("main").append(group);
  const made = part("detections", "Detections", `${page.predictions} on ${page.annotations}`,
    group);
  detections = await readDetections(page, document.getElementById("report-columns").textContent);
  counts = new Counts(detections);
  state.thresholds = new Float64Array(detections.classes).fill(page.threshold);
  state.all = page.threshold;
  counts.count(state.thresholds);
  for (const problem of page.problems) made.append(el("p", { class: "notice" }, problem));
  made.append(metricFacts());
  showThresholds(group);
  const charts = el("div", {});
  group.append(charts);
  curveCharts(charts);
  charts.append(errorCard());
  part("confusion", "Confusion", "", group).append(showConfusion());
  part("classes", "Classes", "", group).append(showClasses());
  showGallery(part("images", "Images",
    "Ground truth and detections at the threshold. Worst first: most false detections and " +
    "missed boxes.",
    group));
  moved(true);
}

async function showPage() {
  showFrame();
  showOverview();
  await showDetections();
  showTraining();
  showValidation();
  showSettings();
  showLog();
  followScroll();
  document.body.dataset.ready = "true";
}

showPage();
