import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { DirectUpload } from '../../api/upload.js';
import { PlinthError } from '../../core/errors.js';
import { anyOf, setting, step } from '../../core/remedy.js';
import { type InspectLimits, inspectStored } from '../../jobs/inspectInput.js';
import type { ArtifactStore } from '../../jobs/storage/artifactStore.js';
import {
  DIRECT_FILE,
  DIRECT_UPLOADS,
  type DirectUploadRecord,
  directPrefix,
  expireDirectUploads,
  readDirectUpload,
  writeDirectUpload,
} from '../../jobs/storage/directUploads.js';
import { unknownUpload } from '../../jobs/unknownUpload.js';
import { tooLarge } from './receive.js';
import { tooManyOpen, type UploadLimits } from './uploadStore.js';

/** How long an address takes the file: for the start of it, which may then take as long as it takes. */
const ADDRESS_SECONDS = 900;
/** S3 takes and copies no larger file in one request. */
const MOST_BYTES = 5 * 2 ** 30;

type Limits = Pick<UploadLimits, 'bodyBytes' | 'openUploads' | 'openUploadsPerKey' | 'uploadExpirySeconds'>;

/** Zips that clients bring to the storage itself, so that their bytes do not pass the service. */
export class DirectUploads {
  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly limits: Limits & Pick<InspectLimits, 'unpackedBytes' | 'files'>,
  ) {}

  /** @throws `UPLOAD_DIRECT_OFF`, `UPLOAD_TOO_LARGE`, `TOO_MANY_UPLOADS`, `STORAGE_UNAVAILABLE` */
  async create(owner: string, name: string, bytes: number): Promise<DirectUpload> {
    const { bodyBytes, uploadExpirySeconds } = this.limits;
    const storage = this.storage();
    const most = Math.min(bodyBytes, MOST_BYTES);
    if (bytes > most) throw tooLarge(most);
    const id = randomUUID();
    const seconds = Math.min(ADDRESS_SECONDS, uploadExpirySeconds);
    const now = Date.now();
    const record: DirectUploadRecord = {
      id,
      owner,
      name,
      bytes,
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + uploadExpirySeconds * 1000).toISOString(),
      addressExpiresAt: new Date(now + seconds * 1000).toISOString(),
    };
    // First written, then counted: of several that begin at the same time, on whatever servers, none is overlooked.
    await writeDirectUpload(this.artifacts, record);
    try {
      await this.requirePlace(owner);
      const url = await storage.address(`${directPrefix(owner, id)}/${DIRECT_FILE}`, { bytes, seconds });
      const { createdAt, expiresAt, addressExpiresAt } = record;
      return { id, name, bytes, createdAt, expiresAt, addressExpiresAt, url };
    } catch (error) {
      await this.artifacts.remove(directPrefix(owner, id));
      throw error;
    }
  }

  /** Absent when the owner has none of this id. */
  async find(id: string, owner: string): Promise<DirectUploadRecord | undefined> {
    if (!this.artifacts.direct) return undefined;
    const record = await readDirectUpload(this.artifacts, owner, id);
    return record && !record.isGone && Date.parse(record.expiresAt) > Date.now() ? record : undefined;
  }

  /**
   * Copies the file to below `target`, within the storage, and looks at it by the rules for every upload.
   * @param fewestPhotos as in `InspectLimits`
   * @throws `UPLOAD_INCOMPLETE`, `UPLOAD_NOT_FOUND`, `STORAGE_UNAVAILABLE`, and what `inspectStored` throws
   */
  async bring({ owner, id, bytes }: DirectUploadRecord, target: string, fewestPhotos?: number) {
    const { artifacts, limits } = this;
    const source = `${directPrefix(owner, id)}/${DIRECT_FILE}`;
    const key = `${target}/${DIRECT_FILE}`;
    if ((await artifacts.stat(source))?.bytes !== bytes) throw await this.whyNot(id, owner, bytes);
    // Before it is looked at: the address may still take another file, and the copy cannot be changed.
    await this.storage()
      .copy(source, key)
      .catch(async (error) => {
        throw (await artifacts.stat(source)) ? error : await this.whyNot(id, owner, bytes);
      });
    if ((await artifacts.stat(key))?.bytes !== bytes) throw await this.whyNot(id, owner, bytes);
    const fetch = async (start: number, end: number): Promise<Buffer> =>
      await buffer(await artifacts.read(key, { start, end: end - 1 }));
    return await inspectStored({ name: DIRECT_FILE, bytes, fetch }, { ...limits, fewestPhotos });
  }

  /** Why its file is not there: another request has taken it a moment ago, or it never came. */
  private async whyNot(id: string, owner: string, bytes: number): Promise<PlinthError> {
    return (await this.find(id, owner)) ? incomplete(bytes) : unknownUpload(id);
  }

  /** Removes it. */
  async drop(record: DirectUploadRecord): Promise<void> {
    const prefix = directPrefix(record.owner, record.id);
    if (Date.parse(record.addressExpiresAt) <= Date.now()) return await this.artifacts.remove(prefix);
    await writeDirectUpload(this.artifacts, { ...record, isGone: true });
    await this.artifacts.remove(`${prefix}/${DIRECT_FILE}`);
  }

  /** Whether the owner had one of this id. */
  async remove(id: string, owner: string): Promise<boolean> {
    const record = await this.find(id, owner);
    if (record) await this.drop(record);
    return record !== undefined;
  }

  private storage(): NonNullable<ArtifactStore['direct']> {
    const { direct } = this.artifacts;
    if (direct) return direct;
    throw new PlinthError('UPLOAD_DIRECT_OFF', {
      found: `Clients do not reach the storage of this service (${this.artifacts.kind})`,
      expected: 'S3 storage with an address that clients reach',
      remedy: anyOf(
        step`send the capture to the service (\`POST /v1/jobs\`, \`POST /v1/uploads\`)`,
        step`set ${setting('storage.publicEndpoint')}`,
      ),
    });
  }

  private async requirePlace(owner: string): Promise<void> {
    if (!(await this.tooMany(owner))) return;
    // The janitor comes by now and then only.
    await expireDirectUploads(this.artifacts);
    const refusal = await this.tooMany(owner);
    if (refusal) throw refusal;
  }

  /** The error where the owner, or all together, have more than they may. */
  private async tooMany(owner: string): Promise<PlinthError | undefined> {
    const { openUploads, openUploadsPerKey } = this.limits;
    const own = await this.artifacts.children(`${DIRECT_UPLOADS}/${owner}`);
    if (own.length > openUploadsPerKey) return tooManyOpen(own.length - 1, openUploadsPerKey, true);
    let all = 0;
    for (const each of await this.artifacts.children(DIRECT_UPLOADS)) {
      all += (await this.artifacts.children(`${DIRECT_UPLOADS}/${each}`)).length;
      if (all > openUploads) return tooManyOpen(all - 1, openUploads, false);
    }
    return undefined;
  }
}

const incomplete = (bytes: number): PlinthError =>
  new PlinthError('UPLOAD_INCOMPLETE', {
    found: `The ${bytes} bytes of the upload are not in the storage`,
    remedy: 'Put the file to the address of the upload first',
    subject: 'upload',
  });
