import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ArtifactStore } from './artifactStore.js';
import type { DiskBudget } from './diskBudget.js';
import { describeFolder, type ManifestFile, storedFault } from './manifest.js';

/** Names the claim whose saved state a folder went on from. */
const ORIGIN = 'origin';

/**
 * Local folder of one attempt: `<root>/<job>/<claim>/{input,output,checkpoint}`. A new attempt takes the folder of the
 * last one over by renaming it, so that a process of the last attempt that is still about cannot write into the new
 * one's.
 */
export class WorkFolder {
  private constructor(
    readonly path: string,
    private readonly store: ArtifactStore,
    private readonly job: string,
    private readonly claim: string,
  ) {}

  static async open(root: string, store: ArtifactStore, job: string, claim: string): Promise<WorkFolder> {
    const parent = join(root, job);
    const path = join(parent, claim);
    await mkdir(parent, { recursive: true });
    const folder = new WorkFolder(path, store, job, claim);
    const earlier = await readdir(parent);
    const saved = await folder.saved();
    const origin = earlier.length > 0 ? await readFile(join(parent, earlier[0], ORIGIN), 'utf8').catch(() => '') : '';
    // Left by a worker that stopped cleanly, perhaps on another machine: newer than anything here, unless what is here
    // came of it.
    if (saved && saved.claim !== origin) {
      await mkdir(path, { recursive: true });
      const local = await store.local(folder.savedKey(saved.claim), path);
      if (local !== path) await cp(local, path, { recursive: true });
      await writeFile(join(path, ORIGIN), saved.claim);
    } else if (earlier.length > 0) await rename(join(parent, earlier[0]), path);
    for (const name of await readdir(parent)) {
      if (join(parent, name) !== path) await rm(join(parent, name), { recursive: true, force: true });
    }
    await mkdir(folder.output, { recursive: true });
    await mkdir(folder.checkpoint, { recursive: true });
    return folder;
  }

  get output(): string {
    return join(this.path, 'output');
  }

  get checkpoint(): string {
    return join(this.path, 'checkpoint');
  }

  /** The input as a local path: the folder, or the zip in it. */
  async input(): Promise<string> {
    const folder = await this.store.local(`jobs/${this.job}/input`, join(this.path, 'input'));
    const names = await readdir(folder);
    return names.length === 1 && names[0].endsWith('.zip') ? join(folder, names[0]) : folder;
  }

  /** Puts what was reached where every worker finds it. */
  async save(): Promise<void> {
    await rm(join(this.path, 'input'), { recursive: true, force: true });
    const files = await describeFolder(this.path);
    const names = files.map((f) => f.name);
    await this.store.keep(this.path, this.savedKey(this.claim), names);
    // Last: it says that the rest is there.
    await this.store.put(`${this.savedKey(this.claim)}.json`, Buffer.from(JSON.stringify(files)));
    for (const name of await this.store.children(this.resumeKey)) {
      if (name.replace(/\.json$/, '') !== this.claim) await this.store.remove(`${this.resumeKey}/${name}`);
    }
    await rm(this.path, { recursive: true, force: true });
  }

  /**
   * After the disk was full: what can be made again goes, and while that is not enough the checkpoint too, or no job
   * could begin any more.
   */
  async makeRoom(disk: DiskBudget): Promise<void> {
    for (const name of ['output', 'input', 'checkpoint']) {
      await rm(join(this.path, name), { recursive: true, force: true });
      if (!(await disk.shortage())) return;
    }
  }

  /** What an attempt before saved whole. */
  private async saved(): Promise<{ claim: string } | undefined> {
    for (const name of await this.store.children(this.resumeKey)) {
      if (!name.endsWith('.json')) continue;
      const claim = name.slice(0, -'.json'.length);
      const text = (await buffer(await this.store.read(`${this.resumeKey}/${name}`))).toString();
      if (!(await storedFault(this.store, this.savedKey(claim), JSON.parse(text) as ManifestFile[], false)))
        return { claim };
    }
    return undefined;
  }

  private savedKey(claim: string): string {
    return `${this.resumeKey}/${claim}`;
  }

  private get resumeKey(): string {
    return `jobs/${this.job}/resume`;
  }
}
