import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';

/** Checks the file that `build.ca` names. */

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Refuses an invalid certificate authority before anything is built: a build would fail late and with a misleading
 * message. A Dockerfile can read a build secret, so the file may contain only certificates.
 * @param ca `build.ca` as configured
 * @param root absolute folder that relative paths start from
 * @throws ConfigurationError with what was found
 */
export async function checkCertificate(ca: string | undefined, root: string): Promise<void> {
  if (ca === undefined) return;
  const path = isAbsolute(ca) ? ca : join(root, ca);
  const found = await read(path);
  if (typeof found !== 'string') throw refused(ca, `${path} cannot be read (${found.reason})`);
  const outside = found.replace(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g, '');
  if (outside === found) throw refused(ca, `${path} holds no certificate`);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(outside)) throw refused(ca, `${path} holds a private key`);
}

async function read(path: string): Promise<string | { readonly reason: string }> {
  try {
    const { size } = await stat(path);
    return size > MAX_BYTES ? { reason: `${size} bytes are too many` } : await readFile(path, 'latin1');
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split(',')[0] ?? '') : String(error) };
  }
}

const refused = (ca: string, what: string) =>
  new ConfigurationError(
    `build.ca is ${JSON.stringify(ca)}: ${what}. It must be a PEM file with the certificates (-----BEGIN CERTIFICATE-----) of the authority that signs the connections of this network, relative to the repository's top.`,
  );
