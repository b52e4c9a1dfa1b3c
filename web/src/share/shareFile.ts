import type { StageCamera } from '../viewer/pose.js';

/** What a shared file tells its script. */
export interface SharedFacts {
  name: string;
  /** Where the photograph was taken from; absent where there is none. */
  camera?: StageCamera;
}

export interface SharedParts extends SharedFacts {
  /** The verdict as plain words. */
  title: string;
  text: string;
  glb: ArrayBuffer;
  light?: ArrayBuffer;
  photograph?: Blob;
  /** The built script of shared files. */
  script: string;
}

/** Nothing is fetched: what is in the file is all there is. */
const POLICY =
  "default-src 'none'; img-src data: blob:; connect-src data: blob:; style-src 'unsafe-inline'; " +
  "script-src 'unsafe-inline' 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'";

const STYLE = `
:root{color-scheme:light dark;--paper:#f4f6f6;--ink:#131a1b;--quiet:#4f5d60;--line:#7a878a;--card:#fff;--accent:#09685f;
--on:#fff;--stage:radial-gradient(ellipse at 50% 42%,#fdfefe 0%,#e6ebeb 62%,#ccd5d5 100%)}
@media (prefers-color-scheme:dark){:root{--paper:#0d1112;--ink:#e8efee;--quiet:#a2aeb0;--line:#78868a;--card:#151a1b;
--accent:#5dd3c5;--on:#04211d;--stage:radial-gradient(ellipse at 50% 42%,#3d4749 0%,#20272a 62%,#121718 100%)}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main,footer{padding:.75rem 1rem}
h1{font-size:1.25rem;margin:0;overflow-wrap:anywhere}
p{margin:0;max-width:60rem}
footer{color:var(--quiet);font-size:.875rem}
#stage{position:relative;height:max(18rem,100svh - 16rem);background:var(--stage);container-type:size;overflow:hidden}
.holder,.holder canvas{position:absolute;inset:0;width:100%;height:100%}
.picture-over{--wide:min(100cqw,100cqh*var(--ratio));position:absolute;left:calc((100cqw - var(--wide))/2);
top:calc((100cqh - var(--wide)/var(--ratio))/2);width:var(--wide);aspect-ratio:var(--ratio);pointer-events:none}
.picture-over img{display:block;width:100%;height:100%}
.dissolve{opacity:0;transition:opacity 1.5s ease-in-out}
.tools{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin-bottom:.75rem}
button{font:inherit;min-height:2.4rem;padding:.3rem .9rem;border-radius:10px;border:1px solid var(--line);
background:var(--card);color:var(--ink);cursor:pointer}
button[aria-pressed=true]{background:var(--accent);color:var(--on);border-color:var(--accent)}
label{display:flex;flex:1 1 14rem;max-width:26rem;gap:.6rem;align-items:center}
input{flex:1;accent-color:var(--accent);min-height:1.5rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`;

/** One HTML file with all in it: the model, its light, the photograph that becomes it, and the verdict. */
export async function shareFile(parts: SharedParts): Promise<string> {
  const { name, camera, title, text, glb, light, photograph, script } = parts;
  const facts: SharedFacts = { name, camera };
  const over =
    photograph && camera
      ? `<div class="picture-over" style="--ratio:${camera.width / camera.height}"><img alt="Photograph of ${escaped(name)}" ` +
        `src="data:${escaped(photograph.type)};base64,${base64(await photograph.arrayBuffer())}"></div>`
      : '';
  const slider = over ? '<label>Photograph<input id="edge" type="range" min="0" max="100" value="100"></label>' : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escaped(name)}</title><style>${STYLE}</style></head><body>
<header><h1>${escaped(name)}</h1></header>
<div id="stage" data-ready="false"><div class="holder"></div>${over}</div>
<main><div class="tools"><button id="turn" type="button" aria-pressed="false">Turntable</button>
<button id="open" type="button">From photograph to model</button>${slider || '<input id="edge" type="range" hidden>'}</div>
<p><strong>${escaped(title)}</strong> ${escaped(text)}</p><p id="trouble" role="alert"></p></main>
<footer>Made from pictures with Plinth, an open-source program. This file holds everything; it fetches nothing.</footer>
<script type="application/json" id="facts">${JSON.stringify(facts).replaceAll('<', '\\u003c')}</script>
<script type="text/plain" id="model">${base64(glb)}</script>
<script type="text/plain" id="light">${light ? base64(light) : ''}</script>
<script>${script.replace(/<\/(?=script)/gi, '<\\/')}</script>
</body></html>
`;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

function base64(data: ArrayBuffer): string {
  const bytes = new Uint8Array(data);
  let text = '';
  // No more arguments at once than engines take.
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
