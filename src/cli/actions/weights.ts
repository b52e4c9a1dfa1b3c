import { PlinthError } from '../../core/errors.js';
import { getMethod } from '../../methods/registry.js';
import { installedWeights, weightsFolder } from '../../pipeline/availability.js';
import { downloadWeights } from '../../weights/download.js';
import { findWeights, isAccepted, missingWeights, readNotes, verifyWeights } from '../../weights/folder.js';
import { Hub } from '../../weights/hub.js';
import type { WeightManifest } from '../../weights/manifest.js';
import { RECONVIAGEN_WEIGHTS } from '../../weights/reconviagen.js';
import { bytes, cancelOnInterrupt, emit, outputMode } from '../terminal.js';

interface WeightsFlags {
  weights?: string;
  json?: boolean;
}

interface DownloadFlags extends WeightsFlags {
  acceptLicences?: boolean;
  optional?: boolean;
}

const MANIFESTS = [RECONVIAGEN_WEIGHTS];

/** Said wherever somebody may spend time or disk on weights. */
const NEVER_TRIED =
  'The method reconviagen was never run with these weights: docs/reconviagen.md says what was proven.';

export async function runWeightsPath(method: string, flags: WeightsFlags): Promise<void> {
  manifestOf(method);
  const folder = folderOf(flags);
  if (flags.json) emit({ folder });
  else process.stdout.write(`${folder}\n`);
}

export async function runWeightsList(method: string, flags: WeightsFlags): Promise<void> {
  const manifest = manifestOf(method);
  const folder = folderOf(flags);
  const notes = await readNotes(folder);
  const found = await findWeights(manifest, folder, true);
  if (flags.json) {
    const repositories = manifest.repositories.map((repository) => ({
      name: repository.name,
      revision: repository.revision,
      licence: { ...repository.licence, accepted: isAccepted(notes, repository) },
      files: found
        .filter(({ placed }) => placed.repository === repository)
        .map(({ placed: { file }, size }) => ({ path: file.path, optional: file.optional ?? false, size })),
    }));
    emit({ method: manifest.method, folder, repositories });
    return;
  }
  process.stdout.write(`${manifest.method}: ${folder}\n${NEVER_TRIED}\n`);
  for (const repository of manifest.repositories) {
    const accepted = isAccepted(notes, repository) ? 'accepted' : 'not accepted';
    process.stdout.write(`\n${repository.name} (${repository.revision})\n`);
    process.stdout.write(`  Licence, ${accepted}: ${repository.licence.terms}\n  ${repository.licence.url}\n`);
    for (const { placed, size } of found.filter(({ placed }) => placed.repository === repository)) {
      const state = size === undefined ? (placed.file.optional ? 'optional' : 'missing') : bytes(size);
      process.stdout.write(`  ${state.padStart(9)}  ${placed.file.path}\n`);
    }
  }
}

export async function runWeightsVerify(method: string, flags: WeightsFlags): Promise<void> {
  const manifest = manifestOf(method);
  const folder = folderOf(flags);
  const signal = cancelOnInterrupt(() => {});
  const report = (name: string): void => {
    if (!flags.json) process.stderr.write(`Reading ${name}\n`);
  };
  const states = await verifyWeights(manifest, folder, signal, report);
  const wanted = states.filter(({ optional, state }) => !optional || state !== 'missing');
  for (const { name, state, size, error } of wanted) {
    if (flags.json) emit({ event: 'file', name, state, size, error: error?.toJSON() });
    else process.stdout.write(`${state.padEnd(8)}  ${name}${error ? `: ${error.summary}` : ''}\n`);
  }
  const invalid = wanted.find(({ error }) => error);
  if (invalid) throw invalid.error;
  const present = wanted.filter(({ state }) => state !== 'missing').length;
  if (present < wanted.length) throw missingWeights(manifest, folder, present, wanted.length);
  // Names, shapes and what the networks say of themselves, so that a run does not find it.
  await getMethod(manifest.method).checkWeights?.(installedWeights(manifest, folder));
  if (flags.json) return;
  const unproven = wanted.filter(({ state }) => state === 'unproven').length;
  process.stdout.write(`All ${present} files are here and hold what the networks need.\n`);
  if (unproven > 0)
    process.stdout.write(`Of ${unproven} of them nobody has stated a hash: their bytes are unproven.\n`);
}

export async function runWeightsDownload(method: string, flags: DownloadFlags): Promise<void> {
  const manifest = manifestOf(method);
  const folder = folderOf(flags);
  const hub = new Hub({ endpoint: process.env.HF_ENDPOINT, token: process.env.HF_TOKEN });
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say(`${NEVER_TRIED}\nWeights of ${manifest.method} (${manifest.about}) to ${folder}. Their licences:`);
  for (const { name, licence } of manifest.repositories) say(`\n${name}\n  ${licence.terms}\n  ${licence.url}`);
  say('');
  const signal = cancelOnInterrupt(() => {});
  const terminal = outputMode(flags.json) === 'terminal';
  let last = '';
  let tenth = -1;
  const fetched = await downloadWeights(manifest, folder, {
    hub,
    acceptLicences: flags.acceptLicences ?? false,
    optional: flags.optional ?? false,
    signal,
    report: ({ name, done, total }) => {
      const now = total === 0 ? -1 : Math.floor((done / total) * (terminal ? 1000 : 10));
      if (total === 0 || (name === last && now === tenth)) return;
      [last, tenth] = [name, now];
      if (flags.json) emit({ event: 'progress', name, done, total });
      else if (terminal) process.stderr.write(`\r\u001b[2K${bytes(done)} of ${bytes(total)}  ${name}`);
      else say(`${bytes(done)} of ${bytes(total)}  ${name}`);
    },
  });
  if (terminal) say('');
  if (flags.json) emit({ event: 'done', folder, fetched });
  else say(`${fetched.length} files were fetched; all that ${manifest.method} needs are in ${folder}.`);
}

/** --weights, else PLINTH_WEIGHTS, else `weights` in the cache folder. */
const folderOf = (flags: WeightsFlags): string => weightsFolder(flags.weights);

function manifestOf(method: string): WeightManifest {
  const found = MANIFESTS.find((manifest) => manifest.method === method);
  if (found) return found;
  throw new PlinthError('OPTION_INVALID', {
    found: `No weights are known of a method "${method}"`,
    expected: MANIFESTS.map((manifest) => manifest.method).join(', '),
    subject: 'method',
  });
}
