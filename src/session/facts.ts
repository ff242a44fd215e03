import { z } from 'zod';

/** What is known of a property: `unknown` wherever looking, or asking, cannot tell. */
export const KNOWLEDGE = ['yes', 'no', 'unknown'] as const;
export const knowledgeSchema = z.enum(KNOWLEDGE);
export type Knowledge = z.infer<typeof knowledgeSchema>;

/**
 * What an interpreter has or has not.
 *
 * `march`: built for more than every processor of its architecture has. `gil`: the lock is on while it runs.
 * `bytecode`: the standard library has its compiled files. `assertions`: CPython's own checks (`--with-pydebug`,
 * `--with-assertions`).
 */
export const PROPERTIES = [
  'pgo',
  'lto',
  'bolt',
  'shared_libpython',
  'march',
  'gil',
  'jit',
  'tail_call',
  'frame_pointers',
  'bytecode',
  'assertions',
] as const;
export type Property = (typeof PROPERTIES)[number];

export const propertySchema = z.object({
  /** What the interpreter says of itself (sysconfig, its flags). */
  declared: knowledgeSchema,
  /** What its binary and its behaviour show. */
  observed: knowledgeSchema,
});
export type PropertyFacts = z.infer<typeof propertySchema>;

/** Which Python an interpreter is. */
export const pythonSchema = z.object({
  /** `3.13.5`. */
  python: z.string(),
  /** `CPython`. */
  implementation: z.string(),
  /** Path of the binary, symbolic links followed. */
  executable: z.string(),
  /**
   * SHA-256 of the binary and its libpython: two compilations of one version are two builds. Absent where they cannot be
   * read, and in files of earlier versions.
   */
  build: z.string().optional(),
});
export type Python = z.infer<typeof pythonSchema>;

/** Whether two are the same Python, wherever each lies: an environment of an interpreter (venv) runs that interpreter. */
export const isSamePython = (a: Python, b: Python): boolean =>
  a.python === b.python &&
  a.implementation === b.implementation &&
  (a.build === undefined || b.build === undefined || a.build === b.build);

/** What an interpreter is, asked and looked at inside its image. */
export const interpreterFactsSchema = z.object({
  ...pythonSchema.shape,
  compiler: z.string(),
  /** `glibc 2.41`, `musl`: by the binary's loader and the library's own word. */
  libc: z.string(),
  /** The distribution underneath as /etc/os-release names it; empty where there is none. */
  system: z.string().default(''),
  /** What gives memory: `pymalloc on glibc`, `mimalloc on musl`, `pymalloc on jemalloc`. */
  allocator: z.string().default(''),
  /** The last -O of the flags that the core was compiled with, such as `-O3`; empty where nothing says. */
  optimization: z.string().default(''),
  /** The -march of the flags, such as `native`; empty where none was given. */
  march: z.string().default(''),
  /** What is loaded or linked beside: `openssl`, `sqlite`, `zlib`, `expat`…, name to version. */
  libraries: z.record(z.string(), z.string()).default({}),
  /** Python distributions that it finds, name to version. */
  packages: z.record(z.string(), z.string()).default({}),
  /** Packages of the distribution (dpkg, apk); null where there is no such list. */
  systemPackages: z.int().nonnegative().nullable().default(null),
  /** Extension modules of the standard library that were built and do not import, each with the reason. */
  brokenModules: z.record(z.string(), z.string()).default({}),
  /** Absent in the files of versions that did not look. */
  properties: z.partialRecord(z.enum(PROPERTIES), propertySchema).default({}),
});
export type InterpreterFacts = z.infer<typeof interpreterFactsSchema>;

/** What an image is that was asked by itself, outside of a session. */
export interface AskedImage {
  readonly id: string;
  /** `name@sha256:…`; absent where no registry has it. */
  readonly digest?: string;
  /** Unpacked, in bytes; absent where the engine does not say. */
  readonly sizeBytes?: number;
  /** Layers that are not empty, the base's first: unpacked sizes in bytes, digests of the unpacked layers. */
  readonly layers: readonly { readonly digest?: string; readonly bytes: number }[];
  /** The image it stands on, where its labels say so (org.opencontainers.image.base). */
  readonly base?: { readonly reference: string; readonly digest: string };
}
