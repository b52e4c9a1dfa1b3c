/** The script of a shared file: a photograph that becomes the model, from data within the same file alone. */
import { FIRST_SETTINGS, Stage } from '../viewer/stage.js';
import type { SharedFacts } from './shareFile.js';

const HOLD = 900;
const DISSOLVE = 1500;

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const textOf = (id: string): string => element(id).textContent ?? '';

function bytesOf(id: string): ArrayBuffer | undefined {
  const text = atob(textOf(id));
  if (text === '') return undefined;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

async function begin(): Promise<void> {
  const facts = JSON.parse(textOf('facts')) as SharedFacts;
  const holder = element('stage');
  const photograph = document.querySelector<HTMLElement>('.picture-over');
  const turn = element<HTMLButtonElement>('turn');
  const edge = element<HTMLInputElement>('edge');
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `3D model of ${facts.name}`);
  holder.querySelector('.holder')!.append(canvas);
  const stage = new Stage(canvas);
  let settings = FIRST_SETTINGS;
  const setTurning = (turntable: boolean): void => {
    settings = { ...settings, turntable };
    stage.apply(settings);
    turn.setAttribute('aria-pressed', String(turntable));
  };
  const lay = (share: number): void => {
    if (!photograph) return;
    photograph.classList.remove('dissolve');
    photograph.hidden = share === 0;
    photograph.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    edge.value = String(share);
  };
  const found = await stage.show(bytesOf('model')!, new AbortController().signal, bytesOf('light'));
  settings = { ...settings, light: found.lights[0] };
  stage.apply(settings);
  // Whatever was begun last goes on; what was begun before stops at its next step.
  let run = 0;
  const open = async (): Promise<void> => {
    const mine = ++run;
    setTurning(false);
    if (facts.camera && photograph) {
      lay(100);
      await stage.stand(facts.camera);
      if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
        lay(50);
        return;
      }
      await wait(HOLD);
      if (mine !== run) return;
      photograph.classList.add('dissolve');
      await wait(DISSOLVE);
      if (mine !== run) return;
      lay(0);
      await stage.leave(1.6);
    } else if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    if (mine === run) setTurning(true);
  };
  stage.onTaken = () => {
    run++;
    lay(0);
  };
  turn.addEventListener('click', () => {
    run++;
    lay(0);
    setTurning(!settings.turntable);
  });
  element('open').addEventListener('click', () => void open());
  edge.addEventListener('input', () => {
    run++;
    const share = Number(edge.value);
    setTurning(false);
    lay(share);
    if (facts.camera) void stage.stand(facts.camera);
  });
  holder.dataset.ready = 'true';
  await open();
}

begin().catch((error: unknown) => {
  element('trouble').textContent = `The model cannot be shown: ${error instanceof Error ? error.message : error}`;
});
