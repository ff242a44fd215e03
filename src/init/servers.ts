import { moduleName, type Layout } from './layout.ts';
import { has, isShipped, type ProjectFiles } from './project-files.ts';

export interface ServerWorkload {
  readonly kind: 'server';
  readonly framework: Framework;
  readonly command: readonly string[];
  /** A path that answers when the server is ready; undefined if only the port can be checked. */
  readonly health: string | undefined;
  /** Paths that the load requests. */
  readonly routes: readonly string[];
}

const FRAMEWORKS = ['flask', 'fastapi', 'starlette', 'django'] as const;
type Framework = (typeof FRAMEWORKS)[number];
/** Frameworks with their own servers, whose start command the files do not reveal. */
const OTHERS = ['aiohttp', 'sanic', 'tornado', 'bottle', 'litestar', 'falcon', 'quart', 'pyramid'];

export const PORT = 8000;
/** Of these the first run leaves out those that the server refuses. */
const MOST_ROUTES = 20;
const HEALTH = /^\/(health\w*|ready\w*|livez?|ping|status|_health)\/?$/;

export interface ServersFound {
  readonly workload: ServerWorkload | undefined;
  readonly notes: readonly string[];
}

const nothing = (...notes: readonly string[]): ServersFound => ({ workload: undefined, notes });

/**
 * The application object of a web framework, and the command that starts it with a server from the project's
 * dependencies.
 */
export function findServer(files: ProjectFiles, layout: Layout, names: ReadonlySet<string>): ServersFound {
  const framework = FRAMEWORKS.find((name) => names.has(name));
  if (framework === undefined) {
    const other = OTHERS.find((name) => names.has(name) && importsIt(files, name));
    return other === undefined
      ? nothing()
      : nothing(
          `The project uses ${other}, and init cannot tell how it is started: for a server, write workload.server (docs/workloads.md#measure-a-server).`,
        );
  }
  const command =
    framework === 'django' ? djangoCommand(files, names) : objectCommand(framework, files, layout, names);
  if (typeof command === 'string') return nothing(command);
  if (command === undefined) return nothing();
  const routes = framework === 'django' ? djangoRoutes(files) : routesOf(files);
  const load = routes.filter((path) => !HEALTH.test(path)).slice(0, MOST_ROUTES);
  return {
    workload: {
      kind: 'server',
      framework,
      command,
      health: routes.find((path) => HEALTH.test(path)),
      routes: load.length > 0 ? load : ['/'],
    },
    notes: [],
  };
}

const shippedTexts = ({ texts }: ProjectFiles) =>
  [...texts]
    .filter(([path]) => path.endsWith('.py') && isShipped(path))
    .sort(([a], [b]) => depth(a) - depth(b));

const depth = (path: string) => path.split('/').length;

const importsIt = (files: ProjectFiles, name: string) =>
  shippedTexts(files).some(([, text]) => new RegExp(`^\\s*(import|from) ${name}\\b`, 'm').test(text));

function djangoCommand(files: ProjectFiles, names: ReadonlySet<string>): readonly string[] | undefined {
  if (!has(files, 'manage.py')) return undefined;
  const wsgi = files.paths.find((path) => /^\w+\/wsgi\.py$/.test(path));
  return names.has('gunicorn') && wsgi !== undefined
    ? gunicorn(`${wsgi.slice(0, -'.py'.length).replaceAll('/', '.')}:application`)
    : ['python', 'manage.py', 'runserver', '--noreload', `127.0.0.1:${PORT}`];
}

const gunicorn = (target: string): readonly string[] => [
  ...['python', '-m', 'gunicorn', '--workers', '1', '--bind', `127.0.0.1:${PORT}`],
  target,
];

/** `path('a/', include('b.urls'))` or `path('a/', view)`, where the path has no parameter. */
const DJANGO_PATH = /\bpath\(\s*(?:r?["']([^"'<]*)["']|\w+)\s*,\s*(include\(\s*["']([\w.]+)["'])?([\w.]*)/g;

/** Paths without parameters from the project's `urls.py`, with those that it includes. */
function djangoRoutes(files: ProjectFiles): readonly string[] {
  const [top] = shippedTexts(files).flatMap(
    ([, text]) => /^ROOT_URLCONF\s*=\s*["']([\w.]+)["']/m.exec(text)?.[1] ?? [],
  );
  const seen = new Set<string>();
  const read = (module: string, prefix: string): readonly string[] => {
    const text = files.texts.get(`${module.replaceAll('.', '/')}.py`);
    if (text === undefined || seen.has(module)) return [];
    seen.add(module);
    const code = text.replace(/^\s*#.*$/gm, '').replace(/"""[^]*?"""|\'\'\'[^]*?\'\'\'/g, '');
    return [...code.matchAll(DJANGO_PATH)].flatMap(([, route, include, included = '', view = '']) => {
      // An unknown prefix is mostly empty. Refused routes are left out later.
      if (include !== undefined) return read(included, prefix + (route ?? ''));
      // The administration needs a login, and a database.
      return route === undefined || view.startsWith('admin.') ? [] : [prefix + route];
    });
  };
  return top === undefined ? [] : [...new Set(read(top, '/'))];
}

interface AppObject {
  readonly module: string;
  readonly name: string;
  readonly factory: boolean;
}

function objectCommand(
  framework: Exclude<Framework, 'django'>,
  files: ProjectFiles,
  layout: Layout,
  names: ReadonlySet<string>,
): readonly string[] | string | undefined {
  const app = appObject(framework, files, layout);
  if (app === undefined) return undefined;
  const { module, name, factory } = app;
  const target = `${module}:${name}`;
  if (framework === 'flask')
    return names.has('gunicorn')
      ? gunicorn(factory ? `${target}()` : target)
      : ['python', '-m', 'flask', '--app', target, 'run', '--port', String(PORT)];
  if (!names.has('uvicorn'))
    return `The project uses ${framework} without uvicorn among its dependencies, so init cannot tell what serves it: for a server, write workload.server (docs/workloads.md#measure-a-server).`;
  return [
    ...['python', '-m', 'uvicorn', ...(factory ? ['--factory'] : []), target],
    ...['--port', String(PORT), '--log-level', 'warning'],
  ];
}

const CLASSES = { flask: 'Flask', fastapi: 'FastAPI', starlette: 'Starlette' } as const;

/** A module's `app = Flask(…)`, or else its function `create_app`. */
function appObject(
  framework: keyof typeof CLASSES,
  files: ProjectFiles,
  { roots }: Layout,
): AppObject | undefined {
  const made = new RegExp(`^(\\w+)\\s*(?::\\s*\\w+)?\\s*=\\s*(?:\\w+\\.)?${CLASSES[framework]}\\(`, 'm');
  const texts = shippedTexts(files);
  for (const [path, text] of texts) {
    const [, name] = made.exec(text) ?? [];
    const module = moduleName(path, roots);
    if (name !== undefined && module !== undefined) return { module, name, factory: false };
  }
  for (const [path, text] of texts) {
    const [, name] = /^def (create_app|make_app|app_factory)\(/m.exec(text) ?? [];
    const module = moduleName(path, roots);
    if (name !== undefined && module !== undefined) return { module, name, factory: true };
  }
  return undefined;
}

/** Paths that answer GET requests and have no parameters. */
function routesOf(files: ProjectFiles): readonly string[] {
  const found = shippedTexts(files).flatMap(([, text]) =>
    [...text.matchAll(/@\w+\.(route|get)\(\s*["'](\/[^"'<{]*)["']([^)]*)\)/g)].flatMap(
      ([, , path = '', rest = '']) => (/methods\s*=/.test(rest) && !/["']GET["']/i.test(rest) ? [] : [path]),
    ),
  );
  return [...new Set(found)];
}
