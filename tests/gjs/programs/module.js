// SPDX-License-Identifier: LGPL-2.1-or-later

// Run by a test: an ES module with await at its top level.

import AsyncExec from 'gi://AsyncExec?version=1';

const caller = AsyncExec.Caller.getCurrent();
const sum = await AsyncExec.Pending.all([caller.submit(() => 1), AsyncExec.sleep(0.001).then(() => 2)]);
const text = [];
for await (const item of caller.map(async x => x * 2, [1, 2]))
    text.push(item);
try {
    await caller.submit(() => {
        throw new RangeError('itself');
    });
} catch (error) {
    text.push(error.name);
}
print([...sum, ...text].join(' '));
