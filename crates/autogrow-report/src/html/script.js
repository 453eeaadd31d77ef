// What moves on the page: theme, curves under the pointer, the network as it grew, news of a run
// that is running. Without it everything is still there to be read.
"use strict";
{
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const data = JSON.parse($("#data").textContent);

  // Theme: the system's, light, dark.
  const button = $("#theme");
  const themes = ["auto", "light", "dark"];
  const themeNow = () => document.documentElement.dataset.theme ?? "auto";
  const nameTheme = () => {
    const name = themeNow();
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[name];
    button.setAttribute("aria-label", `Theme: ${name === "auto" ? "automatic" : name}`);
  };
  button.hidden = false;
  nameTheme();
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(themeNow()) + 1) % themes.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    nameTheme();
    try {
      localStorage.setItem("autogrow-theme", next);
    } catch {
      // Not remembered, then.
    }
  });

  // Epochs or time.
  let against = "epochs";
  for (const group of $$(".switch")) {
    group.hidden = false;
    for (const choice of $$("button", group)) {
      choice.addEventListener("click", () => {
        against = choice.dataset.against;
        document.body.dataset.against = against;
        for (const other of $$(".switch button")) {
          other.setAttribute("aria-pressed", String(other.dataset.against === against));
        }
        for (const figure of $$("figure.chart[data-chart]")) hide(figure);
      });
    }
  }

  // Curves under the pointer.
  const SVG = "http://www.w3.org/2000/svg";
  const shown = (figure) => $$("svg[data-place]", figure).find((svg) => svg.getClientRects().length);
  const axis = (text) => {
    const [from, to, scale] = text.split(" ");
    return { from: Number(from), to: Number(to), log: scale === "Log" };
  };
  const part = ({ from, to, log }, value) =>
    log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  const written = (chart, value) => {
    if (value === null) return "–";
    if (chart === "score") return `${value.toFixed(2)} %`;
    return value >= 0.1 ? value.toFixed(3) : value.toPrecision(3);
  };

  function hide(figure) {
    $(".tip", figure).hidden = true;
    for (const old of $$(".cross", figure)) old.remove();
    delete figure.dataset.at;
  }

  // The place in each series that is nearest to x; a series that ended before has none.
  const nearest = (xs, x) => {
    let low = 0;
    let high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle;
      else high = middle;
    }
    return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
  };

  function show(figure, x) {
    const svg = shown(figure);
    const chart = figure.dataset.chart;
    const series = (data.charts[chart] ?? []).filter((own) => own.values.length);
    if (!svg || !series.length) return;
    const [left, right, top, below] = svg.dataset.place.split(" ").map(Number);
    const xAxis = axis(svg.dataset.x);
    const yAxis = axis(svg.dataset.y);
    const bottom = Number(svg.dataset.y.split(" ")[3]);
    // All series tell the same place: that of the longest one.
    const longest = series.reduce((a, b) => (b.values.length > a.values.length ? b : a));
    const place = nearest(longest[against], x);
    const at = longest[against][place];
    hide(figure);
    figure.dataset.at = String(place);
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "cross");
    const px = left + part(xAxis, at) * (right - left);
    const line = document.createElementNS(SVG, "line");
    for (const [name, value] of Object.entries({ x1: px, x2: px, y1: top, y2: below })) {
      line.setAttribute(name, value);
    }
    group.append(line);
    const tip = $(".tip", figure);
    const head = document.createElement("p");
    head.textContent =
      against === "epochs" ? `epoch ${at}` : `${Number(at.toPrecision(4))} ${data.unit}`;
    const state = data.states.length ? data.states[nearest(data.states.map((s) => s[0]), longest.epochs[place])] : null;
    if (state) head.textContent += ` · ${state[1]}`;
    const list = document.createElement("dl");
    const gap = longest[against].length > 1 ? 2 * Math.abs(longest[against][1] - longest[against][0]) : Infinity;
    for (const own of series) {
      const index = nearest(own[against], at);
      const ended = own !== longest && Math.abs(own[against][index] - at) > Math.max(gap, 1e-9);
      const value = ended ? null : own.values[index];
      const term = document.createElement("dt");
      const swatch = document.createElement("i");
      swatch.className = `swatch s${own.colour}`;
      term.append(swatch, own.name);
      const number = document.createElement("dd");
      number.textContent = written(chart, value);
      list.append(term, number);
      if (value === null || (yAxis.log && value <= 0)) continue;
      const y = bottom - part(yAxis, value) * (bottom - top);
      if (y < top - 1 || y > bottom + 1) continue;
      const dot = document.createElementNS(SVG, "circle");
      dot.setAttribute("cx", left + part(xAxis, own[against][index]) * (right - left));
      dot.setAttribute("cy", y);
      dot.setAttribute("r", 3.5);
      dot.setAttribute("class", `dot s${own.colour}`);
      group.append(dot);
    }
    svg.append(group);
    tip.replaceChildren(head, list);
    tip.hidden = false;
    const box = svg.getBoundingClientRect();
    const frame = figure.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const screen = box.left - frame.left + px * scale;
    const room = frame.width - tip.offsetWidth - 4;
    const beside = screen + 14 > room ? screen - tip.offsetWidth - 14 : screen + 14;
    tip.style.left = `${Math.max(0, Math.min(beside, room))}px`;
    tip.style.top = `${box.top - frame.top + top * scale}px`;
  }

  for (const figure of $$("figure.chart[data-chart]")) {
    const point = (event) => {
      const svg = shown(figure);
      if (!svg) return;
      const box = svg.getBoundingClientRect();
      const [left, right] = svg.dataset.place.split(" ").map(Number);
      const { from, to } = axis(svg.dataset.x);
      const px = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      if (px < left - 12 || px > right + 12) hide(figure);
      else show(figure, from + ((px - left) / (right - left)) * (to - from));
    };
    figure.addEventListener("pointermove", point);
    figure.addEventListener("pointerdown", point);
    figure.addEventListener("pointerleave", () => hide(figure));
    figure.addEventListener("blur", () => hide(figure));
    figure.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === "Escape") hide(figure);
      if (step === undefined) return;
      event.preventDefault();
      const series = data.charts[figure.dataset.chart] ?? [];
      if (!series.length) return;
      const xs = series.reduce((a, b) => (b.values.length > a.values.length ? b : a))[against];
      const place = Number(figure.dataset.at ?? xs.length) + step;
      show(figure, xs[Math.max(0, Math.min(xs.length - 1, place))]);
    });
  }

  // The network as it grew.
  const growth = $("#growth.growth");
  if (growth && data.states.length) {
    const [player, play, scrub, now] = [$(".player"), $("#play"), $("#scrub"), $("#now")];
    player.hidden = false;
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const draw = () => {
      const epoch = Number(scrub.value);
      for (const module of $$("li[data-epoch]", growth)) {
        // What was stacked after an epoch is trained from the next one on.
        const later = Number(module.dataset.epoch) > epoch || (epoch === 0 && module.dataset.epoch !== "0");
        module.classList.toggle("later", later);
        module.classList.toggle("gone", Number(module.dataset.until ?? Infinity) <= epoch);
      }
      for (const row of $$(".subnet", growth)) {
        $(".count", row).textContent = $$("li:not(.later):not(.gone):not(.stopped)", row).length;
      }
      const state = data.states.findLast((own) => own[0] <= epoch);
      const depth = $$(".count", growth).map((own) => own.textContent).join("-");
      now.textContent = state
        ? `epoch ${epoch} · ${depth} · ${state[2]} · ${data.guide} ${written("score", state[3])}`
        : `the seed, ${depth}`;
    };
    let timer = null;
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶";
      play.setAttribute("aria-label", "Play the growth");
    };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (scrub.value === scrub.max) scrub.value = 0;
      play.textContent = "❚❚";
      play.setAttribute("aria-label", "Pause");
      // Growth takes some eight seconds, however many epochs it took; fewer steps for those who
      // want less motion.
      const end = Number(growth.dataset.end);
      const steps = still.matches ? 8 : 80;
      const stride = Math.max(1, Math.round(end / steps));
      const pause = Math.max(60, Math.min(500, (8000 * stride) / Math.max(1, end)));
      timer = setInterval(() => {
        const next = Number(scrub.value) + stride;
        scrub.value = next > end ? scrub.max : next;
        draw();
        if (scrub.value === scrub.max) stop();
      }, pause);
    });
    scrub.addEventListener("input", () => {
      if (timer) stop();
      draw();
    });
    // Paper shows the network at its end.
    addEventListener("beforeprint", () => {
      stop();
      scrub.value = scrub.max;
      draw();
    });
    draw();
  }

  // Earlier checks are printed too.
  addEventListener("beforeprint", () => {
    for (const details of $$("details")) details.open = true;
  });

  // A run that is running: its page is written again and again; load it until it has not
  // changed for longer than an epoch can take.
  const { written: at, patience } = document.body.dataset;
  if (at) {
    const age = () => Date.now() / 1000 - Number(at);
    const tell = (news) => {
      const stale = $("#stale");
      stale.textContent = news;
      stale.hidden = false;
    };
    // Where the run serves the page, the browser would show an error once there is no run.
    const served = location.protocol !== "file:";
    const pause = served ? 3000 : 10000;
    const load = () => {
      if (!served) return location.reload();
      fetch(location.href, { method: "HEAD" }).then(
        () => location.reload(),
        () => tell(" The process has ended; report.html in the run folder is its last page."),
      );
    };
    const soon = () => {
      if (age() > Number(patience)) {
        tell(" There has been no news for a while: the process may have ended.");
      } else if (document.hidden || $("#growth :focus, figure:hover, figure:focus")) {
        // Not under the reader's hands.
        setTimeout(soon, 2000);
      } else {
        load();
      }
    };
    setTimeout(soon, pause);
  }
}
