// What the wizard does where nobody is asked, and how a list is narrowed down.
import assert from 'node:assert/strict';
import { narrow, nobodyToAsk, takingProposals } from '../../../../../src/lib/cli/setup/prompts.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';
import { ScriptedPrompts } from '../../../../helpers/scripted-prompts.ts';

const question = { id: 'q', message: 'Which one?', flag: '--one NAME', choices: [{ name: 'a', value: 'a' }] };

describe('questions of the wizard', () => {
  it('where nobody is asked, the error names the flag', async () => {
    await assert.rejects(nobodyToAsk.select(question), (error) => {
      assert.ok(error instanceof HcmError);
      assert.deepEqual([error.code, error.details['next']], ['HCM_INPUT_NEEDED', 'Add --one NAME']);
      return error.message.includes('Which one?');
    });
    assert.equal(await nobodyToAsk.select({ ...question, unasked: 'b' }), 'b');
    assert.equal(await nobodyToAsk.yesNo({ ...question, proposal: true, unasked: false }), false);
  });

  it('--yes takes what is proposed, and asks the rest', async () => {
    const prompts = new ScriptedPrompts({ q: 'a' });
    assert.equal(await takingProposals(prompts).search({ ...question, unasked: 'b' }), 'b');
    assert.deepEqual(prompts.asked, []);
    assert.equal(await takingProposals(prompts).search(question), 'a');
    assert.deepEqual(prompts.asked, ['q']);
  });

  it('typing narrows a list down by all words, and what begins with them comes first', () => {
    const choices = ['italynorth', 'northeurope', 'westeurope'].map((name) => ({ name, value: name }));
    const names = (term?: string) => narrow(choices, term).map(({ name }) => name);
    assert.deepEqual(names(), ['italynorth', 'northeurope', 'westeurope']);
    assert.deepEqual(names('NORTH'), ['northeurope', 'italynorth']);
    assert.deepEqual(names('europe west'), ['westeurope']);
    assert.deepEqual(names('zz'), []);
    const described = [{ name: 'shop', value: 1, description: 'Resource group web' }];
    assert.equal(narrow(described, 'web').length, 1);
  });
});
