// SPDX-License-Identifier: LGPL-2.1-or-later

// Random programs on JavaScript's one thread against the invariants I1 to I8, as
// far as it can see them.  A program is a list of steps; one that violates
// something is run again with less and less in it, as long as it still does.
// tests/property does more of the same in C.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec} = imports.gi;
const System = imports.system;
const {fail, isTrue, random, run, same, scale, test, turn} = imports.tap;
const {Caller, Limiter} = AsyncExec;

const caller = Caller.getCurrent();
const limiter = new Limiter({wrapped: caller, maxConcurrent: 1});
const items = [];       // of all runs: the collector may find a pending, and its error, long after its run
const N_SLOTS = 5;
const STEPS = ['submit', 'submit', 'submit', 'submit', 'later', 'cancel', 'cancelQueued', 'then', 'read', 'drop', 'turn', 'wait'];
const JOBS = ['plain', 'plain', 'fail', 'nest', 'async', 'cancel'];

const choose = list => list[Math.floor(random() * list.length)];

class Run {
    constructor() {
        this.items = [];
        this.problems = [];
        this.slots = [];
        this.clock = 0;
        this.running = 0;
    }

    violate(invariant, text) {
        this.problems.push(`${invariant}: ${text}`);
    }

    job(item) {
        if (this.running > 0)
            this.violate('I4', `job ${item.number} runs inside another one`);
        if (++item.runs > 1 || item.calls > 0)
            this.violate('I3', `job ${item.number} runs a second time, or when it is done`);
        item.order = ++this.clock;
        this.running++;
        try {
            return this.body(item);
        } finally {
            this.running--;
        }
    }

    body(item) {
        switch (item.job) {
        case 'fail':
            throw new RangeError(`item ${item.id}`);
        case 'nest':
            this.submit({name: 'submit', on: item.on, job: 'plain'}, item);
            break;
        case 'async':
            return AsyncExec.sleep(0);
        case 'cancel':
            this.slots[0]?.pending.cancel();
            break;
        }
        return item.number;
    }

    submit(step, by = null) {
        const item = {...step, by, id: items.length, number: this.items.length, runs: 0, calls: 0, observed: false, reports: 0};
        const executor = step.on === 'limiter' ? limiter : caller;
        const func = () => this.job(item);
        let inside = true;
        const done = pending => {
            if (inside)
                this.violate('I4', `the callback of job ${item.number} came inside the call`);
            if (++item.calls > 1)
                this.violate('I1', `job ${item.number} is done twice`);
            item.state = pending.getState();
        };

        this.items.push(item);
        items.push(item);
        const pending = step.name === 'later' ? caller.callLater(0.0002, func) : executor.submit(func);
        pending.addDoneCallback(done);
        inside = false;
        return {item, pending};
    }

    async step(step) {
        const held = this.slots[step.slot];
        if (step.name === 'submit' || step.name === 'later')
            this.slots[step.slot] = this.submit(step);
        else if (step.name === 'turn')
            await turn();
        else if (held)
            await this.use(step.name, held);
        if (step.name === 'drop')
            this.slots[step.slot] = undefined;
    }

    async use(name, {item, pending}) {
        switch (name) {
        case 'cancel':
            pending.cancel();
            break;
        case 'cancelQueued':
            if (pending.cancelQueued())
                item.neverRuns = true;
            break;
        case 'then':
            item.observed = true;
            pending.then(() => null, () => null);
            break;
        case 'read':
            if (!pending.done)
                break;
            item.observed = true;
            pending.dupError();
            break;
        case 'wait':
            item.observed = true;
            await pending.catch(() => null);
            break;
        }
    }

    // I6 and I7: a wait is refused, and what is done stays as it is.
    again({item, pending}) {
        const state = pending.getState();
        try {
            pending.wait();
            this.violate('I6', 'JavaScript was blocked');
        } catch {
        }
        for (let i = 0; i < 2; i++) {
            if (pending.cancel() !== pending.cancelled || pending.getState() !== state)
                this.violate('I7', `job ${item.number} was done and was cancelled`);
        }
        if (pending.resolve(1))
            this.violate('I1', `job ${item.number} was done and was resolved`);
    }

    check() {
        const last = new Map();
        for (const item of this.items) {
            if (item.neverRuns && item.runs > 0)
                this.violate('I3', `job ${item.number} was cancelled in its queue and ran`);
            if (item.name === 'later' || !item.order)
                continue;
            const queue = `${item.on} ${item.by?.number}`;
            if (item.order < (last.get(queue) ?? 0))
                this.violate('I2', `job ${item.number} ran too early`);
            last.set(queue, item.order);
        }
    }
}

for (const executor of [caller, limiter]) {
    executor.connect('unhandled-error', (_executor, _pending, error) => {
        const found = /^item (\d+)$/.exec(error.message);
        if (found)
            items[found[1]].reports++;
        return found !== null;
    });
}

async function problemsOf(steps) {
    const self = new Run();

    for (const step of steps)
        await self.step(step);
    while (self.items.some(item => item.calls === 0))
        await turn();
    self.slots.filter(held => held).forEach(held => self.again(held));
    self.slots = [];
    self.check();
    return self.problems;
}

function makeProgram() {
    return Array.from({length: 1 + Math.floor(random() * 25)}, () => (
        {name: choose(STEPS), on: choose(['caller', 'caller', 'limiter']), job: choose(JOBS), slot: Math.floor(random() * N_SLOTS)}));
}

// As long as something can be left out, it is.
async function shrink(steps, fails) {
    for (let at = 0; at < steps.length;) {
        const candidate = [...steps.slice(0, at), ...steps.slice(at + 1)];
        if ((await fails(candidate)).length > 0) {
            steps = candidate;
            at = 0;
        } else {
            at++;
        }
    }
    return steps;
}

test('I1 I2 I3 I4 I6 I7 random programs', async () => {
    const n = scale(60, 600);
    let nSteps = 0;
    for (let i = 0; i < n; i++) {
        const program = makeProgram();
        const problems = await problemsOf(program);
        nSteps += program.length;
        if (problems.length > 0)
            fail(`${problems.join('; ')}\n${(await shrink(program, problemsOf)).map(step => JSON.stringify(step)).join('\n')}`);
    }
    print(`# figure: javascript-property programs=${n} steps=${nSteps}`);
});

test('I8 what was seen is not told, and nothing twice', async () => {
    System.gc();
    await turn();
    const wrong = items.filter(item => item.reports > (item.job === 'fail' && !item.observed ? 1 : 0));
    same(wrong.length, 0);
    isTrue(items.some(item => item.reports === 1));
});

test('what fails is shrunk', async () => {
    // A job that fails, and then a cancellation.
    const fails = steps => {
        const at = steps.findIndex(step => step.name === 'submit' && step.job === 'fail');
        return at >= 0 && steps.slice(at).some(step => step.name === 'cancel') ? ['planted'] : [];
    };
    let program;
    do
        program = makeProgram();
    while (fails(program).length === 0);
    const least = await shrink(program, fails);
    same(least.length, 2);
    isTrue(fails(least).length > 0);
});

run();
