// hcm.yaml as it is written: short, and read back as it was.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AzureDeclaration } from '../../../../../src/lib/config/hcm-yaml/declaration.ts';
import { parseAzureSection } from '../../../../../src/lib/config/hcm-yaml/load.ts';
import { azureSectionData, formatYaml } from '../../../../../src/lib/config/hcm-yaml/write.ts';
import { declarations } from '../../services/apply/azure-worlds.ts';

const env = { NAME: 'of the environment' };
const load = (text: string) => parseAzureSection(text, { file: 'hcm.yaml', env });

/** Without the places in the file. */
function plain(azure: AzureDeclaration): unknown {
  return JSON.parse(JSON.stringify(azure, (key, value: unknown) => (key === 'at' ? undefined : value)));
}

const place = fc.record(
  { resourceGroup: fc.constantFrom('one', 'two'), location: fc.constantFrom('westeurope', 'northeurope') },
  { requiredKeys: [] },
);
const tags = fc.dictionary(
  fc.constantFrom('a', 'b c', '5', 'true', '$x'),
  fc.oneof(fc.constantFrom('${NAME}', '$$', 'yes', '1', '', '- x', 'a: b', '#', '"', '\n'), fc.string()),
  { maxKeys: 2 },
);

/** As the arbitrary of plans has them, and with all that text can do. */
const written: fc.Arbitrary<AzureDeclaration> = fc
  .tuple(declarations, fc.array(fc.tuple(place, tags), { minLength: 3, maxLength: 3 }))
  .map(([{ namespaces }, more]) => ({
    namespaces: namespaces.map((namespace, index) => ({
      ...namespace,
      ...more[index]?.[0],
      tags: more[index]?.[1] ?? {},
      connections: namespace.connections.map((connection) => ({
        ...connection,
        apps: connection.apps
          .filter(
            ({ name, slot }, at, all) =>
              all.findIndex((one) => one.name === name && one.slot === slot) === at,
          )
          .map((app, at) => (at === 1 ? { ...app, resourceGroup: 'three' } : app)),
      })),
    })),
  }));

describe('hcm.yaml as it is written', () => {
  it('says once what all namespaces have in common, and nothing that says itself', () => {
    const connection = { name: 'echo', rules: [], apps: [] };
    const namespace = { resourceGroup: 'group', location: 'westeurope', tags: {}, rules: [] };
    const data = azureSectionData({
      subscription: 'Local',
      namespaces: [
        { ...namespace, name: 'my-relay', connections: [connection] },
        { ...namespace, name: 'other-relay', location: 'northeurope', connections: [] },
      ],
    });
    const lines = [
      'azure:',
      '  subscription: Local',
      '  resourceGroup: group',
      '  namespaces:',
      '    my-relay:',
      '      location: westeurope',
      '      connections:',
      '        echo:',
      '    other-relay:',
      '      location: northeurope',
      '',
    ];
    assert.equal(formatYaml(data), lines.join('\n'));
  });

  it('is read back as it was, as YAML and as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(written, async (azure) => {
        const data = azureSectionData(azure);
        assert.deepEqual(plain(await load(formatYaml(data))), plain(azure));
        assert.deepEqual(plain(await load(JSON.stringify(data))), plain(azure));
      }),
      { numRuns: 50 },
    );
  });
});
