/**
 * The bill of materials of the npm package: the packages that are bundled into dist/, with their versions. `npm sbom`
 * lists all packages that the build used, tools included; dist/licenses.txt names those in the bundle.
 */

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly group?: string;
  readonly scope?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** The fields that are read from the CycloneDX output of `npm sbom`. */
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
    // The headings end at the first empty line. The text of the licence follows.
    .flatMap((part) => (part.trim().split(/\n\s*\n/)[0] ?? '').split('\n'))
    .flatMap((line) => HEADING.exec(line)?.[1] ?? []);
  return new Set(named);
}

/**
 * The part of npm's bill of materials that is in the package.
 * @param whole as `npm sbom --sbom-format cyclonedx` prints it
 * @param bundled the packages from {@link bundledPackages}
 * @throws Error if npm does not list one of the bundled packages
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
    // npm writes the folder's name instead of the package's.
    metadata: { ...whole.metadata, component: { ...component, name: top.replace(/@[^@]+$/, '') } },
    components,
    dependencies: whole.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) })),
  };
}

/** npm writes a scope as part of the name or as a separate field. */
const nameAndVersion = ({ group, name, version }: Component) =>
  `${group === undefined || name.startsWith('@') ? '' : `${group}/`}${name} ${version}`;

/** npm marks development dependencies, which users do not install. The bundled ones are in the package. */
function asPartOfThePackage({ properties = [], ...component }: Component): Component {
  const others = properties.filter(({ name }) => name !== 'cdx:npm:package:development');
  return { ...component, scope: 'required', ...(others.length === 0 ? {} : { properties: others }) };
}
