/**
 * The bill of materials of the npm package: which packages, in which versions, are bundled into dist/. npm knows the
 * packages that the sources were built with, tools included; dist/licenses.txt names the ones in the bundle.
 */

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly group?: string;
  readonly scope?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** What is read of CycloneDX as `npm sbom` writes it. */
export interface BillOfMaterials {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** `name version (licence)` above a licence's text, one on each line: build.ts writes them. */
const HEADING = /^((?:@[\w.-]+\/)?[\w.-]+ \d[\w.+-]*) \(.+\)$/;

/** The packages that dist/licenses.txt names, as `name version`. */
export function bundledPackages(licenses: string): ReadonlySet<string> {
  const named = licenses
    .split(/^-{100}$/m)
    // The headings end at the first empty line; below stands the licence itself.
    .flatMap((part) => (part.trim().split(/\n\s*\n/)[0] ?? '').split('\n'))
    .flatMap((line) => HEADING.exec(line)?.[1] ?? []);
  return new Set(named);
}

/**
 * The part of npm's bill of materials that is in the package.
 * @param whole as `npm sbom --sbom-format cyclonedx` prints it
 * @param bundled as {@link bundledPackages} has them
 * @throws Error where npm does not know one of the bundled packages
 */
export function billOfMaterials(whole: BillOfMaterials, bundled: ReadonlySet<string>): BillOfMaterials {
  const components = whole.components
    .filter((component) => bundled.has(nameAndVersion(component)))
    .map(asPartOfThePackage);
  const found = new Set(components.map(nameAndVersion));
  const unknown = [...bundled].filter((name) => !found.has(name));
  if (bundled.size === 0 || unknown.length > 0)
    throw new Error(
      `dist/licenses.txt and package-lock.json do not match: of ${bundled.size} bundled packages npm does not know ${unknown.join(', ') || 'any'}. Run npm ci and npm run build.`,
    );
  const { component } = whole.metadata;
  const top = component['bom-ref'];
  const kept = new Set([top, ...components.map((one) => one['bom-ref'])]);
  return {
    ...whole,
    // npm takes the folder's name for the program's.
    metadata: { ...whole.metadata, component: { ...component, name: top.replace(/@[^@]+$/, '') } },
    components,
    dependencies: whole.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) })),
  };
}

/** npm writes a scope into the name, or apart from it. */
const nameAndVersion = ({ group, name, version }: Component) =>
  `${group === undefined || name.startsWith('@') ? '' : `${group}/`}${name} ${version}`;

/** npm marks what a user does not install; these are in the package itself. */
function asPartOfThePackage({ properties = [], ...component }: Component): Component {
  const others = properties.filter(({ name }) => name !== 'cdx:npm:package:development');
  return { ...component, scope: 'required', ...(others.length === 0 ? {} : { properties: others }) };
}
