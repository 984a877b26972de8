// Plays the excerpts of the page: a small synthesiser on WebAudio, and a cursor over the roll.
//
// The excerpts stand as JSON in the element #music: their length and tempo in quarter notes, and
// their notes as [start, length, pitch, velocity, voice]. One excerpt plays at a time.
"use strict";

(() => {
  // Notes are handed to WebAudio this far ahead, in seconds: browsers call the timers of a page
  // in the background only once a second.
  const AHEAD = 1.3;
  const EVERY_MS = 100;
  const LEAD_IN = 0.06;
  const FADE = 0.04;

  const music = JSON.parse(document.getElementById("music").textContent);
  const status = document.getElementById("status");
  let context = null;
  let noise = null;
  let playing = null;

  // The sound of each pitched voice: partials, their shares, and times in seconds.
  const VOICES = {
    melody: { waves: [["triangle", 1, 0.75], ["sine", 2, 0.25]], attack: 0.008, decay: 0.9, release: 0.09, level: 0.34 },
    bass: { waves: [["triangle", 1, 0.8], ["sawtooth", 1, 0.12]], attack: 0.01, decay: 0.7, release: 0.06, level: 0.42 },
    chord: { waves: [["triangle", 1, 0.7], ["sine", 0.5, 0.2]], attack: 0.03, decay: 1.8, release: 0.2, level: 0.13 },
  };

  // Drums by their General MIDI pitch: a tone that falls from one frequency to another, and noise
  // through a filter, with the time in which each dies away.
  const KICK = { tone: [150, 48, 0.16, 0.9] };
  const SNARE = { tone: [220, 160, 0.08, 0.35], noise: ["highpass", 1500, 0.16, 0.5] };
  const CLOSED_HAT = { noise: ["highpass", 7500, 0.05, 0.35] };
  const OPEN_HAT = { noise: ["highpass", 6500, 0.32, 0.32] };
  const CRASH = { noise: ["highpass", 4200, 1.1, 0.36] };
  const RIDE = { tone: [3100, 3000, 0.25, 0.05], noise: ["bandpass", 8200, 0.4, 0.3] };
  const tom = (from) => ({ tone: [from, from * 0.6, 0.24, 0.6] });
  const DRUMS = {
    35: KICK, 36: KICK, 37: SNARE, 38: SNARE, 39: SNARE, 40: SNARE,
    42: CLOSED_HAT, 44: CLOSED_HAT, 46: OPEN_HAT,
    41: tom(105), 43: tom(115), 45: tom(135), 47: tom(165), 48: tom(190), 50: tom(225),
    49: CRASH, 52: CRASH, 55: CRASH, 57: CRASH, 51: RIDE, 53: RIDE, 59: RIDE,
  };

  function start() {
    context ??= new AudioContext();
    if (noise === null) {
      noise = context.createBuffer(1, 2 * context.sampleRate, context.sampleRate);
      const samples = noise.getChannelData(0);
      let state = 20180313;
      for (let i = 0; i < samples.length; i += 1) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        samples[i] = state / 2 ** 31 - 1;
      }
    }
    return context.resume();
  }

  function envelope(out, at, peak, attack, decay, end, release) {
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(peak, at + attack);
    gain.gain.setTargetAtTime(peak * 0.35, at + attack, decay);
    gain.gain.setTargetAtTime(0, end, release / 3);
    gain.connect(out);
    return gain;
  }

  function playPitch(out, at, seconds, pitch, velocity, voice) {
    const { waves, attack, decay, release, level } = VOICES[voice];
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    const filter = context.createBiquadFilter();
    filter.type = "lowpass";
    filter.frequency.value = Math.min(9000, 900 + 4 * frequency);
    const peak = level * (velocity / 127) ** 1.2;
    filter.connect(envelope(out, at, peak, attack, decay, at + seconds, release));
    for (const [type, ratio, share] of waves) {
      const wave = context.createOscillator();
      const gain = context.createGain();
      wave.type = type;
      wave.frequency.value = frequency * ratio;
      gain.gain.value = share;
      wave.connect(gain).connect(filter);
      wave.start(at);
      wave.stop(at + seconds + 2 * release);
    }
  }

  function playDrum(out, at, pitch, velocity) {
    const sound = DRUMS[pitch] ?? CLOSED_HAT;
    const loudness = (velocity / 127) ** 1.4;
    if (sound.tone) {
      const [from, to, seconds, level] = sound.tone;
      const wave = context.createOscillator();
      wave.frequency.setValueAtTime(from, at);
      wave.frequency.exponentialRampToValueAtTime(to, at + seconds * 0.6);
      wave.connect(hit(out, at, level * loudness, seconds));
      wave.start(at);
      wave.stop(at + 2 * seconds);
    }
    if (sound.noise) {
      const [type, frequency, seconds, level] = sound.noise;
      const source = context.createBufferSource();
      const filter = context.createBiquadFilter();
      source.buffer = noise;
      filter.type = type;
      filter.frequency.value = frequency;
      source.connect(filter).connect(hit(out, at, level * loudness, seconds));
      source.start(at, (pitch * 0.037 + at) % 0.5);
      source.stop(at + Math.min(1.4, 2 * seconds));
    }
  }

  function hit(out, at, peak, seconds) {
    const gain = context.createGain();
    gain.gain.setValueAtTime(peak, at);
    gain.gain.setTargetAtTime(0, at + 0.004, seconds / 4);
    gain.connect(out);
    return gain;
  }

  function schedule(run) {
    const horizon = context.currentTime + AHEAD;
    const { notes } = run.music;
    while (run.next < notes.length) {
      const [quarter, length, pitch, velocity, voice] = notes[run.next];
      const at = run.start + quarter * run.quarter;
      if (at > horizon) break;
      if (voice === "drum") playDrum(run.out, at, pitch, velocity);
      else playPitch(run.out, at, Math.max(0.05, length * run.quarter * 0.96), pitch, velocity, voice);
      run.next += 1;
    }
  }

  function draw(run) {
    if (playing !== run) return;
    const at = (context.currentTime - run.start) / run.quarter / run.music.quarters;
    if (at > 1.02) {
      stop();
      return;
    }
    const x = run.left + run.width * Math.min(1, Math.max(0, at));
    run.cursor.setAttribute("x1", x);
    run.cursor.setAttribute("x2", x);
    const box = run.roll;
    if (box.scrollWidth > box.clientWidth) {
      box.scrollLeft = (x / run.whole) * box.scrollWidth - box.clientWidth / 2;
    }
    requestAnimationFrame(() => draw(run));
  }

  function label(article, isPlaying) {
    const button = article.querySelector("button.play");
    article.dataset.state = isPlaying ? "playing" : "stopped";
    button.setAttribute("aria-label", `${isPlaying ? "Stop" : "Play"} ${button.dataset.name}`);
    status.textContent = isPlaying ? `Playing ${button.dataset.name}` : "Stopped";
  }

  function stop() {
    if (playing === null) return;
    const { out, timer, article } = playing;
    playing = null;
    clearInterval(timer);
    if (out) {
      out.gain.setTargetAtTime(0, context.currentTime, FADE / 3);
      setTimeout(() => out.disconnect(), 4000 * FADE);
    }
    label(article, false);
  }

  async function play(article) {
    stop();
    const cursor = article.querySelector(".cursor");
    const own = music[Number(article.dataset.index)];
    const run = {
      article,
      cursor,
      music: own,
      out: null,
      timer: null,
      next: 0,
      quarter: 60 / own.qpm,
      roll: article.querySelector(".roll"),
      left: Number(cursor.dataset.left),
      width: Number(cursor.dataset.width),
      whole: cursor.ownerSVGElement.viewBox.baseVal.width,
    };
    playing = run;
    await start();
    if (playing !== run) return; // stopped, or another was started meanwhile
    run.out = context.createGain();
    run.out.gain.value = 0.8;
    const limiter = context.createDynamicsCompressor();
    run.out.connect(limiter).connect(context.destination);
    run.start = context.currentTime + LEAD_IN;
    run.timer = setInterval(() => schedule(run), EVERY_MS);
    schedule(run);
    label(article, true);
    draw(run);
  }

  for (const article of document.querySelectorAll(".excerpt")) {
    const button = article.querySelector("button.play");
    button.disabled = false;
    button.addEventListener("click", () => {
      if (playing !== null && playing.article === article) stop();
      else play(article);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
  });
})();
