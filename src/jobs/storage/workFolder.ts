import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from './artifactStore.js';
import type { DiskBudget } from './diskBudget.js';

/**
 * Local folder of one attempt: `<root>/<job>/<claim>/{input,output,checkpoint}`. A new attempt takes the folder of the last one over by renaming
 * it, so that a process of the last attempt that is still about cannot write into the new one's.
 */
export class WorkFolder {
  private constructor(
    private readonly parent: string,
    readonly path: string,
    private readonly store: ArtifactStore,
    private readonly job: string,
  ) {}

  static async open(root: string, store: ArtifactStore, job: string, claim: string): Promise<WorkFolder> {
    const parent = join(root, job);
    const path = join(parent, claim);
    await mkdir(parent, { recursive: true });
    const folder = new WorkFolder(parent, path, store, job);
    const earlier = await readdir(parent);
    const resumable = await store.children(folder.resumeKey);
    if (resumable.length > 0) {
      // Left by a worker that stopped cleanly, perhaps on another machine: newer than anything here.
      await mkdir(path);
      const saved = await store.local(folder.resumeKey, path);
      if (saved !== path) await cp(saved, path, { recursive: true });
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
    await this.store.adopt(this.path, this.resumeKey);
  }

  /** After the disk was full: what can be made again goes, and while that is not enough the checkpoint too, or no job could begin any more. */
  async makeRoom(disk: DiskBudget): Promise<void> {
    for (const name of ['output', 'input', 'checkpoint']) {
      await rm(join(this.path, name), { recursive: true, force: true });
      if (!(await disk.shortage())) return;
    }
  }

  /** Removes it, and what was saved. */
  async remove(): Promise<void> {
    await rm(this.parent, { recursive: true, force: true });
    await this.store.remove(this.resumeKey);
  }

  private get resumeKey(): string {
    return `jobs/${this.job}/resume`;
  }
}
