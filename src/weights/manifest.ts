/** One file of a repository of weights. */
export interface WeightFile {
  /** Its path in the repository, and below the repository's folder on this machine. */
  path: string;
  /** The method runs without it. */
  optional?: boolean;
  /** Bytes and SHA-256, once somebody has seen the file; else what the server states is held to. */
  size?: number;
  sha256?: string;
}

/** What a repository's authors allow. */
export interface WeightLicence {
  /** In one sentence; shown before anything is fetched. */
  terms: string;
  /** Where the text stands. */
  url: string;
}

/** A repository on Hugging Face or a mirror of it. */
export interface WeightRepository {
  /** `owner/name`; also its folder below the folder of weights. */
  name: string;
  /** Branch, tag or commit. */
  revision: string;
  licence: WeightLicence;
  files: readonly WeightFile[];
}

/** All weights that one method reads. */
export interface WeightManifest {
  /** Name of the method. */
  method: string;
  /** What is about to be fetched, for people: an estimate until the server has told sizes. */
  about: string;
  repositories: readonly WeightRepository[];
}

/** One file with the repository that it is in. */
export interface PlacedFile {
  repository: WeightRepository;
  file: WeightFile;
}

/** The files of all repositories, in their order. @param optional those as well that the method runs without */
export const filesOf = (manifest: WeightManifest, optional: boolean): PlacedFile[] =>
  manifest.repositories.flatMap((repository) =>
    repository.files.filter((file) => optional || !file.optional).map((file) => ({ repository, file })),
  );
