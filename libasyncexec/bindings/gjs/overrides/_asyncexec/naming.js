// SPDX-License-Identifier: LGPL-2.1-or-later

// What a job is called that nobody named, where AEX_DEBUG=names asks for it.

let wanted = false;

function install(AsyncExec) {
    wanted = AsyncExec.Trampoline.wants_names();
}

// The first place that is not in here, without its folder and its column.
function place() {
    const lines = new Error().stack.split('\n');
    const [, file] = lines.find(line => line !== '' && !line.includes('/_asyncexec/')).match(/@(.*?)(:\d+)?$/);
    return file.split('/').pop();
}

function nameJob(job, func) {
    if (wanted && job.name === null)
        job.set_name(`${func.name || 'function'} at ${place()}`);
    return job;
}
