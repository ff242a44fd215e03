import { z } from 'zod';

/** The value of a property; `unknown` if it cannot be determined. */
export const KNOWLEDGE = ['yes', 'no', 'unknown'] as const;
export const knowledgeSchema = z.enum(KNOWLEDGE);
export type Knowledge = z.infer<typeof knowledgeSchema>;

/**
 * Properties that an interpreter has or lacks.
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
  /** What the interpreter's configuration states (sysconfig, its flags). */
  declared: knowledgeSchema,
  /** What its binary and behaviour show. */
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
   * SHA-256 of the binary and its libpython: two compilations of one version are two builds. Absent if they cannot be
   * read, and in files of earlier versions.
   */
  build: z.string().optional(),
});
export type Python = z.infer<typeof pythonSchema>;

/** Whether two are the same Python, in any location: a virtual environment runs its interpreter. */
export const isSamePython = (a: Python, b: Python): boolean =>
  a.python === b.python &&
  a.implementation === b.implementation &&
  (a.build === undefined || b.build === undefined || a.build === b.build);

/** The facts of an interpreter, collected inside its image. */
export const interpreterFactsSchema = z.object({
  ...pythonSchema.shape,
  compiler: z.string(),
  /** `glibc 2.41`, `musl`: from the binary's loader and the library. */
  libc: z.string(),
  /** The distribution, as /etc/os-release names it; empty if there is none. */
  system: z.string().default(''),
  /** The allocator: `pymalloc on glibc`, `mimalloc on musl`, `pymalloc on jemalloc`. */
  allocator: z.string().default(''),
  /** The last -O of the flags that the core was compiled with, such as `-O3`; empty if unknown. */
  optimization: z.string().default(''),
  /** The -march of the flags, such as `native`; empty if none was given. */
  march: z.string().default(''),
  /** Libraries that are loaded or linked: `openssl`, `sqlite`, `zlib`, `expat`…, name to version. */
  libraries: z.record(z.string(), z.string()).default({}),
  /** Python distributions that it finds, name to version. */
  packages: z.record(z.string(), z.string()).default({}),
  /** Packages of the distribution (dpkg, apk); null if there is no such list. */
  systemPackages: z.int().nonnegative().nullable().default(null),
  /** Extension modules of the standard library that were built and cannot be imported, each with the reason. */
  brokenModules: z.record(z.string(), z.string()).default({}),
  /** Absent in files of earlier versions. */
  properties: z.partialRecord(z.enum(PROPERTIES), propertySchema).default({}),
});
export type InterpreterFacts = z.infer<typeof interpreterFactsSchema>;

/** What an image is that was asked by itself, outside of a session. */
export interface AskedImage {
  readonly id: string;
  /** `name@sha256:…`; absent where no registry has it. */
  readonly digest?: string | undefined;
  /** Unpacked, in bytes; absent where the engine does not say. */
  readonly sizeBytes?: number;
  /** Layers that are not empty, the base's first: unpacked sizes in bytes, digests of the unpacked layers. */
  readonly layers: readonly { readonly digest?: string | undefined; readonly bytes: number }[];
  /** The image it stands on, where its labels say so (org.opencontainers.image.base). */
  readonly base?: { readonly reference: string; readonly digest: string } | undefined;
}
