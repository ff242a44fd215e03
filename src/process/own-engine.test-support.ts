import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from '@jest/globals';
import { withEngine } from './engine.test-support.ts';

const INSTALLED = process.env['PACEGATE_ENGINE_DIR'] ?? '/opt/pacegate-engine';
const dockerd = join(INSTALLED, 'usr/sbin/dockerd');

/** For a test that would break the other tests' engine. It needs the engine that `.ci/engine` installs. */
export const withOwnEngine: typeof withEngine =
  existsSync(dockerd) || process.env['PACEGATE_REQUIRE_ENGINE'] === '1' ? withEngine : test.skip;

export interface OwnEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** The process id of the daemon, not of its containerd. It changes after a restart. */
  readonly pid: () => number;
  /** Kills the daemon and starts it again after a while, like a supervisor. The daemon may not answer yet. */
  readonly restart: (awaySeconds: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a separate engine without a network, and loads images of the shared engine into it. */
export async function startOwnEngine(...images: readonly string[]): Promise<OwnEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-engine-'));
  const host = `unix://${folder}/docker.sock`;
  // Without a bridge a daemon removes docker0, which belongs to the other engine, so it runs in a separate network
  // namespace.
  const start = () => {
    const log = openSync(join(folder, 'log'), 'a');
    const started = spawn(
      'unshare',
      [
        ...['--net', dockerd],
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--host', host],
        ...['--pidfile', join(folder, 'pid')],
        ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
      ],
      {
        env: {
          ...process.env,
          PATH: `${INSTALLED}/usr/sbin:${INSTALLED}/usr/bin:${process.env['PATH'] ?? ''}`,
        },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    return { daemon: started, ended: new Promise((resolve) => started.once('exit', resolve)) };
  };
  let running = start();
  const restart = async (awaySeconds: number) => {
    running.daemon.kill('SIGKILL');
    await running.ended;
    await delay(awaySeconds * 1000);
    await rm(join(folder, 'pid'), { force: true });
    running = start();
  };
  const stop = async () => {
    const { daemon, ended } = running;
    daemon.kill('SIGCONT');
    daemon.kill('SIGTERM');
    await Promise.race([ended, delay(20_000)]);
    daemon.kill('SIGKILL');
    killAll(folder);
    spawnSync('sh', ['-c', `grep -o '${folder}[^ ]*' /proc/mounts | sort -r | xargs -r umount -l`]);
    await rm(folder, { recursive: true, force: true });
  };
  const answers = () =>
    spawnSync('docker', ['-H', host, 'version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
  for (let attempt = 0; !answers(); attempt++) {
    if (attempt > 150 || running.daemon.exitCode !== null) {
      const words = readFileSync(join(folder, 'log'), 'utf8').slice(-2000);
      await stop();
      throw new Error(`the test's own engine did not start: ${words}`);
    }
    await delay(200);
  }
  for (const image of images) {
    const loaded = spawnSync('sh', ['-c', `docker save ${image} | docker -H ${host} load`], {
      encoding: 'utf8',
    });
    if (loaded.status !== 0) throw new Error(`${image}: ${loaded.stderr}`);
  }
  return { host, pid: () => running.daemon.pid ?? 0, restart, stop };
}

/** A killed engine leaves its containerd, the shims and the processes of its containers. */
function killAll(folder: string): void {
  const read = (pid: number, name: string) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parent = (pid: number) => Number(read(pid, 'stat').split(') ').at(-1)?.split(' ')[1]);
  const theirs = new Set(all.filter((pid) => pid !== process.pid && read(pid, 'cmdline').includes(folder)));
  for (const pid of all.filter((one) => theirs.has(one) || theirs.has(parent(one))))
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
}
