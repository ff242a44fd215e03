/** Images for other processors than the machine's, which only an emulator can run. */

/** Why such an image is not measured. */
export const EMULATED =
  "It would run under an emulator such as QEMU, whose time, memory and instructions would be measured in place of the image's";

/** What a processor runs without an emulator beside its own, by Docker's names. */
const RUNS_TOO: ReadonlyMap<string, string> = new Map([
  ['amd64', '386'],
  ['arm64', 'arm'],
]);

/**
 * Whether a machine needs an emulator for an image. What is not known is taken to be its own.
 * @param image the image's architecture by Docker's name, such as `arm64`
 * @param machine the engine's
 */
export const isForeign = (image: string | undefined, machine: string | undefined): boolean =>
  image !== undefined &&
  image !== '' &&
  machine !== undefined &&
  machine !== '' &&
  image !== machine &&
  RUNS_TOO.get(machine) !== image;
