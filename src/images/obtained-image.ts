import type { Image } from '../session/session.ts';
import type { Fault } from './build-failure.ts';
import type { ImageFacts } from './inspect.ts';
import type { PythonAnswer } from './interpreter-python.ts';

/** An image of one side of a variant, from a build, a registry or the engine. */
export interface Obtained {
  readonly kind: 'obtained';
  readonly facts: ImageFacts;
  readonly origin: Image['origin'];
  readonly digest: string | undefined;
  readonly definition: string;
  readonly interpreter?: Image['interpreter'] | undefined;
  readonly seconds?: number | undefined;
  /** Reads the Python version of its interpreter alone. */
  readonly python?: ((signal: AbortSignal) => Promise<PythonAnswer>) | undefined;
}

/** Why there is no image. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly message: string;
  readonly fault: Fault;
}

export type ObtainedImage = Obtained | Unavailable;

export const unavailable = (message: string, fault: Fault = 'build'): Unavailable => ({
  kind: 'unavailable',
  message,
  fault,
});
