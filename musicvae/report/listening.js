// Keeps the answers of a blind listening test, and shows the result when all pairs are answered.
//
// The test stands as JSON in the element #test: the model, the data, the seed, and for each pair
// the letter of the draw and the source of the real clip.
"use strict";

(() => {
  const test = JSON.parse(document.getElementById("test").textContent);
  const place = `musicvae listening: ${[test.model, test.version, test.content_hash, test.seed].join(" ")}`;
  const pairs = [...document.querySelectorAll(".pair")];
  const element = (id) => document.getElementById(id);
  let state = load();

  // A browser may forbid a page to keep anything: then the answers last as long as the page.
  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(place));
      if (kept !== null && kept.answers.length === pairs.length) return kept;
    } catch { /* nothing is kept */ }
    return { answers: pairs.map(() => null), isShown: false };
  }

  function keep() {
    try {
      localStorage.setItem(place, JSON.stringify(state));
    } catch { /* nothing is kept */ }
  }

  // The chance that a listener who only guesses finds as many draws, or more.
  function chanceOf(right) {
    let sum = 0;
    let ways = 1;
    for (let found = pairs.length; found >= right; found -= 1) {
      sum += ways;
      ways = (ways * found) / (pairs.length - found + 1);
    }
    return sum / 2 ** pairs.length;
  }

  function result() {
    const answers = test.pairs.map(({ draw, real }, index) => {
      const answer = state.answers[index];
      return { pair: index + 1, answer, draw, is_right: answer === draw, real };
    });
    const right = answers.filter((each) => each.is_right).length;
    return { ...test, pairs: pairs.length, right, chance: chanceOf(right), answers };
  }

  function say({ right, chance }) {
    const percent = chance < 0.01 ? (100 * chance).toFixed(1) : (100 * chance).toFixed(0);
    const meaning = chance <= 0.05
      ? "So you hear a difference between real music and draws."
      : "So these pairs show no difference that you hear; more pairs might.";
    return `You found ${right} of ${pairs.length} draws. By guessing alone, a listener finds as many or more in ${percent} % of all tests. ${meaning}`;
  }

  function show() {
    const missing = state.answers.filter((answer) => answer === null).length;
    element("pairs").classList.toggle("blind", !state.isShown);
    element("progress").textContent = missing
      ? `${pairs.length - missing} of ${pairs.length} pairs answered.`
      : "All pairs answered.";
    const found = result();
    element("verdict").hidden = !state.isShown;
    element("verdict").textContent = state.isShown ? say(found) : "";
    element("show").disabled = missing > 0 || state.isShown;
    element("download").disabled = !state.isShown;
    element("again").disabled = missing === pairs.length;
    pairs.forEach((pair, index) => {
      for (const button of pair.querySelectorAll("[data-answer]")) {
        button.disabled = state.isShown;
        button.setAttribute("aria-pressed", String(button.dataset.answer === state.answers[index]));
      }
      const { draw, real, is_right: isRight } = found.answers[index];
      const truth = pair.querySelector(".truth");
      truth.hidden = !state.isShown;
      truth.textContent = state.isShown
        ? `${isRight ? "Right" : "Wrong"}: ${draw} is the draw. ${draw === "A" ? "B" : "A"} is real music: ${real}.`
        : "";
    });
  }

  function change(next) {
    state = next;
    keep();
    show();
  }

  pairs.forEach((pair, index) => {
    for (const button of pair.querySelectorAll("[data-answer]")) {
      button.addEventListener("click", () => {
        change({ ...state, answers: state.answers.with(index, button.dataset.answer) });
      });
    }
  });
  element("show").addEventListener("click", () => change({ ...state, isShown: true }));
  element("again").addEventListener("click", () => {
    change({ answers: pairs.map(() => null), isShown: false });
    window.scrollTo(0, 0);
  });
  element("download").addEventListener("click", () => {
    const link = document.createElement("a");
    const text = `${JSON.stringify(result(), null, 1)}\n`;
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `listening-${test.model}-${test.seed}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  show();
})();
