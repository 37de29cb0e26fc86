// Charts by Chart.js, in the colours of the style sheet.

const allCharts = [];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seriesColour = (i) => colour("--c" + (i % 8));
const faint = (value) => value + "26";

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.interaction.mode = "nearest";
Chart.defaults.interaction.axis = "x";
Chart.defaults.interaction.intersect = false;
Chart.defaults.plugins.legend.position = "bottom";
Chart.defaults.plugins.legend.labels.boxWidth = 14;
Chart.defaults.plugins.legend.labels.boxHeight = 3;

// Vertical lines with a word: stages, restarts, the best, the threshold.
Chart.register({
  id: "marks",
  afterDatasetsDraw(chart) {
    const marks = chart.config.options.marks ? chart.config.options.marks() : [];
    const { ctx, chartArea: area, scales } = chart;
    let row = 0;
    for (const mark of marks) {
      const x = scales.x.getPixelForValue(mark.x);
      if (!(x >= area.left - 1 && x <= area.right + 1)) continue;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour(mark.colour);
      ctx.lineWidth = mark.width || 1;
      ctx.setLineDash(mark.dash || []);
      ctx.beginPath();
      ctx.moveTo(x, area.top);
      ctx.lineTo(x, area.bottom);
      ctx.stroke();
      if (mark.text) {
        ctx.font = "11px " + Chart.defaults.font.family;
        const left = x + 4 + ctx.measureText(mark.text).width > area.right;
        ctx.textAlign = left ? "right" : "left";
        ctx.fillText(mark.text, x + (left ? -4 : 4), area.top + 10 + 13 * (row++ % 4));
      }
      ctx.restore();
    }
  },
});

// lines: [{label, points: [{x, y, low, high}], colour: index or name, dash, step}]
function datasetsOf(lines) {
  const sets = [];
  lines.forEach((line, i) => {
    const tint = typeof line.colour === "string" ? colour(line.colour) :
      seriesColour(line.colour === undefined ? i : line.colour);
    const few = line.points.length <= 40;
    sets.push({
      label: line.label,
      data: line.points,
      borderColor: tint,
      backgroundColor: tint,
      borderWidth: line.width || 1.6,
      borderDash: line.dash || [],
      pointRadius: few && !line.bare ? 2.5 : 0,
      pointHitRadius: 6,
      stepped: line.step || false,
      spanGaps: line.gaps || false,
      tension: 0,
    });
    if (line.points.some((point) => point.low !== undefined)) {
      const edge = (key, fill) => ({
        label: "",
        data: line.points.map((point) => ({ x: point.x, y: point[key] })),
        borderWidth: 0,
        pointRadius: 0,
        pointHitRadius: 0,
        backgroundColor: faint(tint),
        fill,
        isRange: true,
      });
      sets.push(edge("low", false), edge("high", "-1"));
    }
  });
  return sets;
}

function lineChart(box, options) {
  const canvas = el("canvas", { role: "img", "aria-label": options.label });
  box.append(el("div", { class: "plot" }, canvas));
  const config = {
    type: "line",
    data: { datasets: [] },
    options: {
      parsing: false,
      normalized: true,
      marks: options.marks,
      scales: {
        x: {
          type: "linear",
          title: { display: true, text: options.x },
          bounds: "data",
          min: options.xMin,
          max: options.xMax,
          ticks: { maxRotation: 0, precision: options.wholeX ? 0 : undefined }
        },
        y: {
          type: options.log ? "logarithmic" : "linear",
          min: options.yMin,
          max: options.yMax,
          title: { display: Boolean(options.y), text: options.y || "" }
        },
      },
      plugins: {
        legend: {
          display: options.legend !== false,
          labels: { filter: (item, all) => !all.datasets[item.datasetIndex].isRange }
        },
        tooltip: {
          filter: (item) => !item.dataset.isRange,
          callbacks: {
            title: (items) => items.length ? `${options.x} ${short(items[0].parsed.x)}` : "",
            label: (item) => `${item.dataset.label}: ${short(item.parsed.y)}`
          }
        },
      },
    },
  };
  const chart = new Chart(canvas, config);
  chart.redraw = () => {
    const lines = options.lines();
    chart.data.datasets = datasetsOf(lines);
    for (const scale of Object.values(chart.options.scales)) {
      scale.grid = { color: colour("--line"), borderColor: colour("--line") };
      scale.ticks.color = scale.title.color = colour("--soft");
    }
    chart.options.plugins.legend.labels.color = colour("--text");
    chart.update("none");
  };
  chart.redraw();
  allCharts.push(chart);
  return chart;
}

// A button that switches the vertical axis between linear and logarithmic.
function logButton(box, chart) {
  const button = el("button", {
    type: "button",
    "aria-pressed": "false",
    onclick: () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      chart.options.scales.y.type = on ? "logarithmic" : "linear";
      chart.redraw();
    }
  }, "log");
  box.head.append(button);
}

// What is drawn on a canvas is drawn again when colours change: dark mode, and paper.
function onRestyle(listener) {
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(query).addEventListener("change", listener);
  }
}
onRestyle(() => allCharts.forEach((chart) => chart.redraw()));
addEventListener("beforeprint", () => allCharts.forEach((chart) => chart.resize()));
