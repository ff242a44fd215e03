import type { Ports } from './ports.ts';

/** The ports of the use cases for tests: those that a test scripts. Any other call fails the test. */

type Scripted = Partial<Omit<Ports, 'images'>> & { readonly images?: Partial<Ports['images']> };

export const portsWith = ({ images, ...ports }: Scripted): Ports => ({
  hosts: { prepare: unscripted('hosts.prepare') },
  facts: unscripted('facts'),
  countInstructions: unscripted('countInstructions'),
  runOnce: unscripted('runOnce'),
  measure: unscripted('measure'),
  runTrials: unscripted('runTrials'),
  profile: unscripted('profile'),
  keepProfile: unscripted('keepProfile'),
  keepSession: unscripted('keepSession'),
  files: { hash: unscripted('files.hash'), overlay: unscripted('files.overlay') },
  machine: unscripted('machine'),
  containerProcess: unscripted('containerProcess'),
  clock: unscripted('clock'),
  log: { info: () => undefined, warn: () => undefined, step: () => undefined },
  ...ports,
  images: {
    check: unscripted('images.check'),
    prepare: unscripted('images.prepare'),
    coldBuild: unscripted('images.coldBuild'),
    compressedSize: unscripted('images.compressedSize'),
    haveSameContent: unscripted('images.haveSameContent'),
    push: unscripted('images.push'),
    ...images,
  },
});

const unscripted = (name: string) => (): never => {
  throw new Error(`The test called ${name}, which it does not script.`);
};
