// SPDX-License-Identifier: LGPL-2.1-or-later

/// <reference path="asyncexec-1-groups.d.ts" />

/**
 * Structured concurrency for GObject, as JavaScript sees it with the override
 * that comes with the library. Times are seconds; null and undefined mean no
 * limit. Every function also has its snake_case name.
 */
declare module 'gi://AsyncExec?version=1' {
    import type Gio from 'gi://Gio?version=2.0';
    import type GLib from 'gi://GLib?version=2.0';
    import type GObject from 'gi://GObject?version=2.0';
    import * as AsyncExec from 'gi://AsyncExec?version=1';

    export default AsyncExec;

    /** Seconds; null or undefined for no limit. */
    export type Seconds = number | null | undefined;
    /** What can be waited for, or is there already. */
    export type Awaitable<T> = T | PromiseLike<T>;
    /** A job: gets its arguments, then itself and what cancels it. What it returns is the value, or is followed. */
    export type JobFunction<A extends unknown[], T> =
        (...args: [...A, Pending<T>, Gio.Cancellable]) => Awaitable<T>;
    /** What packs into a GLib.Variant. */
    type Plain = null | boolean | number | bigint | string | Uint8Array | GLib.Bytes | GLib.Variant | Plain[] |
        {[key: string]: Plain | undefined};

    export interface WaitOptions {
        timeout?: Seconds;
        cancellable?: Gio.Cancellable | null;
        /** Leave the pending alone when this wait gives up. */
        protect?: boolean;
        /** Ignore cancellation of the wait from outside. */
        shield?: boolean;
        /** False: errors of the pending are not errors of the wait. */
        result?: boolean;
        /** Giving up cancels the job only while it is queued. */
        queuedOnly?: boolean;
    }

    export interface SubmitParameters {
        name?: string | null;
        priority?: Priority | null;
        /** Counts from the submission. */
        timeout?: Seconds;
        cancellable?: Gio.Cancellable | null;
        context?: Context | null;
        metadata?: {[key: string]: Plain} | null;
        /** Gets every message, also those that are published at once. */
        subscriber?: ((message: any, pending: Pending<any>) => void) | null;
        /** The classes of trackers that get to know of the job; none is outside of every group. */
        trackers?: (typeof PendingTracker)[];
        /** The group that it is a member of; null for none. */
        group?: PendingGroup | null;
    }

    export interface MapOptions {
        /** False: results as they complete. */
        ordered?: boolean;
        /** How many are started and not yet taken; 0 for all at once. By default all of an array, two of an iterator. */
        maxConcurrent?: number | null;
        /** For each item, from its start. */
        timeout?: Seconds;
        /** Errors are items; else the first one ends the stream. */
        returnExceptions?: boolean;
    }

    export interface MultipleOptions {
        maxWorkers?: number;
        timeout?: Seconds;
    }

    export interface CompletedOptions {
        maxConcurrent?: number;
        timeout?: Seconds;
        /** Leaving the loop cancels what is not done. True by default. */
        cancelUnfinished?: boolean;
    }

    export interface Completed<T> extends AsyncIterableIterator<Pending<T>> {
        /** Leaves early; resolves when what was not done is. */
        close(): Pending<Pending<T>[]>;
    }

    export interface SetOptions {
        /** ALL_COMPLETED by default. */
        returnWhen?: ReturnWhen;
        timeout?: Seconds;
        /** Ends the wait, and nothing else. */
        cancellable?: Gio.Cancellable | null;
    }

    export interface ShutdownOptions {
        /** Drop what is queued. */
        cancelPending?: boolean;
        /** Cancel what runs. */
        cancelRunning?: boolean;
    }

    export enum PendingState { QUEUED, RUNNING, RESOLVED, REJECTED, CANCELLED }
    export enum PendingFlags { NONE, PROTECTED }
    export enum WaitFlags { NONE, CANCEL_ON_ABANDON, SHIELD, NO_RESULT, CANCEL_QUEUED_ONLY }
    export enum ShutdownFlags { NONE, CANCEL_QUEUED, CANCEL_RUNNING }
    export enum MapFlags { NONE, UNORDERED, CONTINUE_ON_ERROR }
    export enum Priority { BACKGROUND = -1, DEFAULT = 0, HIGH = 1 }
    export enum ExecutorState { INITIAL, RUNNING, STOPPING, STOPPED }
    export enum ThenFlags { ON_SUCCESS, ON_ERROR, ALWAYS }
    export enum StopFlags { NONE, FORCE }
    export enum ReturnWhen { FIRST_COMPLETED, FIRST_ERROR, ALL_COMPLETED }
    export enum ScopeFlags { NONE, SHIELD }

    /** The errors of the library; what was thrown in JavaScript comes back as itself. */
    export class Error extends GLib.Error {
        static FAILED: number;
        static NOT_DONE: number;
        static WOULD_DEADLOCK: number;
        static CLOSED: number;
        static BUSY: number;
        static WORKER_DIED: number;
        /** Thrown as an AggregateError with errors, domain and code. */
        static GROUP: number;
        static ABANDONED: number;
        static NO_CONTEXT: number;
        static MISMATCH: number;
        static EXISTS: number;
        static REENTERED: number;
        static STOPPED_EARLY: number;
        static NOT_FOUND: number;
        static NOT_SUPPORTED: number;
        static PROTOCOL: number;
        static EXCEPTION: number;
        static FORKED: number;
        static INVALID_ARGUMENT: number;
        static quark(): number;
    }

    /** Was it cancelled? Takes anything that was thrown. */
    export function isCancelled(thrown: unknown): boolean;
    /** Did it take too long? Takes anything that was thrown. */
    export function isTimeout(thrown: unknown): boolean;
    /** Is it an error of that domain and code? Takes anything that was thrown. */
    export function matches(thrown: unknown, domain: unknown, code: number): boolean;
    /** A pending that resolves after some time. */
    export function sleep(seconds: number, cancellable?: Gio.Cancellable | null): Pending<null>;
    /** The pendings themselves, as they complete. */
    export function asCompleted<T>(items: Iterable<Awaitable<T>> | AsyncIterable<Awaitable<T>>, options?: CompletedOptions): Completed<T>;
    /** Waits for several: which are done, and which are not. Cancels none, also when the time is over. */
    export function wait<T>(items: Iterable<Awaitable<T>>, options?: SetOptions): Promise<[Pending<T>[], Pending<T>[]]>;
    /** Throws when the running job was cancelled; not after an await. */
    export function checkCancelled(): boolean;
    export function blockingBegin(): void;
    export function blockingEnd(): void;
    /** How many garbage collections were finished so that a callback could be made. */
    export function gjsGetNFinished(): number;
    /** Virtual time, for tests of programs. */
    export const testing: {
        setVirtualTime(virtual: boolean): void;
        advance(seconds: number): void;
        /** When the next timer is due, null for never. */
        getNext(): number | null;
    };

    /** Future, promise and job in one. */
    export class Pending<T = unknown> extends GObject.Object implements PromiseLike<T> {
        constructor();
        static new<T>(): Pending<T>;
        static newFull<T>(flags?: PendingFlags, context?: Context | null): Pending<T>;
        /** Known to the active trackers of these types. */
        static newTracked<T>(trackerTypes: GObject.GType[]): Pending<T>;
        static resolved<T>(value: T): Pending<T>;
        static rejected<T = never>(thrown: unknown): Pending<T>;
        static newResolved<T>(value: T): Pending<T>;
        static newRejected<T = never>(thrown: unknown): Pending<T>;
        /** Cancelling the pending cancels the cancellable; it is done when the promise is. */
        static fromPromise<T>(promise: PromiseLike<T>, cancellable?: Gio.Cancellable | null): Pending<T>;
        static sleep(seconds: number, cancellable?: Gio.Cancellable | null): Pending<null>;
        static all<T>(items: Iterable<Awaitable<T>>): Pending<T[]>;
        static allSettled<T>(items: Iterable<Awaitable<T>>): Pending<Pending<T>[]>;
        static any<T>(items: Iterable<Awaitable<T>>): Pending<T>;
        static first<T>(items: Iterable<Awaitable<T>>): Pending<T>;
        static race<T>(items: Iterable<Awaitable<T>>): Pending<T>;
        static asCompleted<T>(items: Iterable<Awaitable<T>> | AsyncIterable<Awaitable<T>>, options?: CompletedOptions): Completed<T>;
        static waitSet<T>(items: Iterable<Awaitable<T>>, options?: SetOptions): Promise<[Pending<T>[], Pending<T>[]]>;
        /** @throws NOT_SUPPORTED: the job is the argument of its function. */
        static getCurrent(): never;

        then<R1 = T, R2 = never>(onResolved?: ((value: T) => Awaitable<R1>) | null,
            onRejected?: ((thrown: any) => Awaitable<R2>) | null): Promise<R1 | R2>;
        catch<R = never>(onRejected?: ((thrown: any) => Awaitable<R>) | null): Promise<T | R>;
        finally(onDone?: (() => void) | null): Promise<T>;

        readonly done: boolean;
        readonly cancelled: boolean;
        readonly state: PendingState;
        /** What it was rejected with, null for none. */
        readonly error: any;
        readonly info: PendingInfo;
        readonly context: Context;
        name: string | null;
        /** From 0 to 1, negative when unknown; notifies. */
        readonly progress: number;
        readonly progressMessage: string | null;
        readonly statusText: string | null;

        /** The value, or throws; never blocks. */
        result(): T;
        /** True if this became the outcome. */
        resolve(value?: T): boolean;
        reject(thrown: unknown): boolean;
        rejectWithPayload(error: GLib.Error, payload?: unknown): boolean;
        follow(other: Pending<T>): boolean;
        setCanceller(func: (pending: Pending<T>) => void): boolean;
        run(): void;

        /** Did somebody want to cancel it before it was done, also if that was refused? */
        wasCancelRequested(): boolean;
        /** Cancels it for everybody; is it cancelled? */
        cancel(message?: string | null): boolean;
        cancelQueued(): boolean;
        cancelOn(cancellable?: Gio.Cancellable | null): void;
        /** Cancels it when that object is gone. */
        cancelWith(owner: GObject.Object): void;
        setPriority(priority: Priority): boolean;
        /** Waits with a limit; giving up cancels the pending unless protect. */
        waitAsync(options?: WaitOptions): Promise<T>;
        waitFinish(result: Gio.AsyncResult): boolean;
        withTimeout(seconds: Seconds): Pending<T>;
        shield(): Pending<T>;
        addDoneCallback(func: (pending: Pending<T>) => void): number;
        addDoneCallbackObject(target: GObject.Object, func: (pending: Pending<T>) => void): number;
        removeDoneCallback(id: number): boolean;
        addContinuation<R>(flags: ThenFlags, func: (done: Pending<T>) => Awaitable<R> | null): Pending<T | R>;

        setProgress(fraction: number, message?: string | null): void;
        getProgress(): number;
        dupProgressMessage(): string | null;
        dupStatusText(): string | null;
        /** A progress bar shows how far this is. */
        bindProgress(target: GObject.Object, property?: string): GObject.Binding;
        publish(message: Plain): boolean;
        /** func gets what was published, unpacked, before the pending is done. */
        subscribe(func: (message: any, pending: Pending<T>) => void): number;
        unsubscribe(id: number): boolean;
        getNLostMessages(): number;

        setName(name: string | null): void;
        setMetadata(key: string, value: Plain | undefined): void;
        getMetadata(key: string): any;

        isDone(): boolean;
        isCancelled(): boolean;
        getState(): PendingState;
        getCancellable(): Gio.Cancellable;
        getBoolean(): boolean;
        getDouble(): number;
        getInt64(): number;
        dupContext(): Context;
        dupError(): GLib.Error | null;
        dupInfo(): PendingInfo;
        dupMetadata(key: string): any;
        dupName(): string | null;
        dupObject(): GObject.Object | null;
        dupPayload(): any;
        dupResult(): PendingResult<T> | null;
        dupString(): string | null;
        dupValue(): T;
        dupVariant(): GLib.Variant | null;
        peekPayload(): any;
        peekValue(): T;
        resolveBoolean(value: boolean): boolean;
        resolveDouble(value: number): boolean;
        resolveInt64(value: number): boolean;
        resolveObject(value: GObject.Object | null): boolean;
        resolveString(value: string | null): boolean;
        resolveVariant(value: GLib.Variant | null): boolean;

        /** @throws NOT_SUPPORTED: it would block JavaScript's only thread. */
        wait(): never;
        /** @throws NOT_SUPPORTED */
        runUntilDone(): never;
        /** @throws NOT_SUPPORTED */
        publishWait(): never;
        /** @throws NOT_SUPPORTED */
        addDoneCallbackInline(): never;
    }

    /** When and where a pending was submitted, started and done. */
    export class PendingInfo {
        readonly name: string | null;
        readonly state: PendingState;
        readonly executorName: string | null;
        readonly threadId: number;
        /** Monotonic seconds; null when not recorded. */
        readonly submitted: number | null;
        readonly started: number | null;
        readonly finished: number | null;
        copy(): PendingInfo;
        free(): void;
        getName(): string | null;
        getState(): PendingState;
        getExecutorName(): string | null;
        getThreadId(): number;
        getSubmittedUs(): number;
        getStartedUs(): number;
        getDoneUs(): number;
    }

    /** One result of several, in the model of a stream. */
    export class PendingResult<T = unknown> extends GObject.Object {
        readonly index: number;
        readonly success: boolean;
        /** Or throws. */
        readonly value: T;
        readonly error: any;
        readonly pending: Pending<T> | null;
        getIndex(): number;
        getSuccess(): boolean;
        getPending(): Pending<T> | null;
        dupValue(): T;
        peekValue(): T;
        dupError(): GLib.Error | null;
    }

    /** Results one after the other. Leaving the loop closes it. */
    export class PendingStream<T = unknown> extends GObject.Object implements AsyncIterableIterator<T> {
        constructor();
        static new<T>(maxBuffered?: number): PendingStream<T>;
        readonly nDone: number;
        /** Null when unknown. */
        readonly nTotal: number | null;
        readonly model: Gio.ListModel;
        next(): Promise<IteratorResult<T>>;
        return(value?: any): Promise<IteratorResult<T>>;
        [Symbol.asyncIterator](): this;
        /** Cancels what runs; resolves when nothing runs any more. */
        close(): Pending<null>;
        /** Resolves when there is room. */
        push(value: T): Pending<null>;
        /** Resolves when the consumer has taken the item, is cancelled with CLOSED when nobody will. */
        transfer(value: T): Pending<null>;
        end(thrown?: unknown): void;
        /** end() without an error. */
        complete(): void;
        getModel(): Gio.ListModel;
        getNDone(): number;
        getNTotal(): number;
        /** @throws NOT_SUPPORTED */
        nextSync(): never;
        /** @throws NOT_SUPPORTED */
        setValue(): never;
    }
    export {PendingStream as Stream};

    /** Where jobs run. Subclasses implement vfunc_dispatch() and call job.run() later. */
    export abstract class Executor extends GObject.Object {
        constructor(parameters?: {name?: string; maxPending?: number; recordTimes?: boolean; operations?: Operations});
        static getDefault(): Executor;
        static refDefault(): Executor;
        static setDefault(executor: Executor): void;
        readonly name: string | null;
        readonly state: ExecutorState;
        readonly nPending: number;
        readonly nRunning: number;
        readonly recordTimes: boolean;
        readonly operations: Operations;
        maxPending: number;
        vfunc_dispatch(job: Pending<any>): void;
        vfunc_shutdown(flags: ShutdownFlags): Pending<null>;

        /** May JavaScript's functions run there? Others throw NOT_SUPPORTED at once. */
        runsHere(): boolean;
        submit<A extends unknown[], T>(func: JobFunction<A, T>, ...args: A): Pending<T>;
        submitAsync<A extends unknown[], T>(func: JobFunction<A, T>, ...args: A): Pending<T>;
        submitFull<A extends unknown[], T>(options: SubmitOptions | null, func: JobFunction<A, T>, ...args: A): Pending<T>;
        submitAsyncFull<A extends unknown[], T>(options: SubmitOptions | null, func: JobFunction<A, T>, ...args: A): Pending<T>;
        /** Fire and forget: what it throws goes to unhandled-error. */
        post<A extends unknown[]>(func: (...args: A) => unknown, ...args: A): void;
        /** A named operation, on any thread; its parameters are packed by the types it declares. */
        call(name: string, parameters?: {[key: string]: any} | GLib.Variant | any[] | null): Pending<any>;
        callFull(options: SubmitOptions | null, name: string, parameters?: any): Pending<any>;
        map<I, T>(func: (item: I, job: Pending<T>, cancellable: Gio.Cancellable) => Awaitable<T>,
            items: Iterable<I> | AsyncIterable<I>, options?: MapOptions): PendingStream<T>;
        /** Results as they complete, as [value, error]. */
        runMultiple<T>(tasks: Iterable<PromiseLike<T> | ((job: Pending<T>, cancellable: Gio.Cancellable) => Awaitable<T>)>,
            options?: MultipleOptions): PendingStream<[T | null, any]>;
        /** This executor, with options for what is given to it. */
        options(options: SubmitParameters): OptionsView;
        shutdown(options?: ShutdownOptions | ShutdownFlags): Pending<null>;
        shutdownNowait(options?: ShutdownOptions | ShutdownFlags): void;
        connect(signal: 'unhandled-error', func: (executor: this, pending: Pending<any> | null, thrown: any) => boolean): number;
        connect(signal: string, func: (...args: any[]) => any): number;
        setDefault(): void;
        getMaxPending(): number;
        setMaxPending(maxPending: number): void;
        getNPending(): number;
        getNRunning(): number;
        getName(): string | null;
        getState(): ExecutorState;
        getOperations(): Operations;
        /** @throws NOT_SUPPORTED */
        run(): never;
    }

    /** What Executor.options() gives. */
    export interface OptionsView extends
        Pick<Executor, 'submit' | 'post' | 'call' | 'map' | 'runMultiple'> {
        readonly executor: Executor;
    }

    /** Threads; they run operations, and no functions of JavaScript. */
    export class ThreadPool extends Executor {
        constructor(parameters?: {name?: string; maxWorkers?: number; idleTimeout?: Seconds; helpWaiting?: boolean;
            maxPending?: number; recordTimes?: boolean; operations?: Operations});
        static new(maxWorkers?: number): ThreadPool;
        idleTimeout: Seconds;
        maxWorkers: number;
        helpWaiting: boolean;
        getIdleTimeout(): number | null;
        setIdleTimeout(seconds: Seconds): void;
        getMaxWorkers(): number;
        setMaxWorkers(maxWorkers: number): void;
        getHelpWaiting(): boolean;
        setHelpWaiting(helpWaiting: boolean): void;
        getNWorkers(): number;
        /** @throws NOT_SUPPORTED */
        setThreadMain(): never;
        /** @throws NOT_SUPPORTED */
        runWorker(): never;
    }

    /** Of a thread that is made; what is not said of a child is as in its parent. */
    export interface ThreadOptions {
        contextFlags?: number;
        /** 0 to 19 */
        niceness?: number;
        backend?: string | null;
    }

    export class CallerOptions {
        static new(): CallerOptions;
        copy(): CallerOptions;
        free(): void;
        getName(): string | null;
        getContextFlags(): number;
        getNiceness(): number;
        setName(name: string | null): void;
        setContextFlags(flags: number): void;
        setNiceness(niceness: number): void;
        getBackend(): string | null;
        setBackend(backend: string | null): void;
    }

    /** Functions that a caller runs one after the other, whatever each awaits. */
    export class CallQueue extends GObject.Object {
        readonly pending: Pending<null>;
        readonly key: string;
        readonly caller: Caller;
        readonly nItems: number;
        /** False when it is closed. */
        push<A extends unknown[]>(func: (...args: A) => unknown, ...args: A): boolean;
        pushAsync<A extends unknown[]>(func: (...args: A) => unknown, ...args: A): boolean;
        close(): void;
        getPending(): Pending<null>;
        getKey(): string;
        getNItems(): number;
    }

    /** One main context. */
    export class Caller extends Executor {
        static getCurrent(): Caller;
        static refCurrent(): Caller;
        static getMain(): Caller;
        static refMain(): Caller;
        static forContext(context?: GLib.MainContext | null, name?: string | null, options?: {backend?: string | null}): Caller;
        static refForContext(context?: GLib.MainContext | null, name?: string | null, options?: {backend?: string | null}): Caller;
        /** Of a context that has no caller yet. */
        static newForContext(context?: GLib.MainContext | null, name?: string | null): Caller;
        static newThread(name?: string | null, options?: ThreadOptions): Caller;
        /** By its id, or that of this thread; never makes one. */
        static lookup(id?: number | null): Caller | null;
        static lookupCurrent(): Caller | null;
        static list(runningOnly?: boolean): Caller[];
        readonly parent: Caller | null;
        /** A list that does not change. */
        readonly children: Caller[];
        readonly contextFlags: number;
        readonly niceness: number;
        /** In which loop its jobs run when nothing else is said. */
        readonly backend: string;
        getBackend(): string;
        /** JavaScript runs in "glib"; another name is NOT_FOUND or NOT_SUPPORTED. */
        callUsingBackend<A extends unknown[], T>(backend: string, func: JobFunction<A, T>, ...args: A): Pending<T>;
        /** @throws NOT_SUPPORTED */
        static registerBackend(): never;
        /** Whether stop() without force leaves it alone. */
        protected: boolean;
        /** The executor of its child threads: for named operations. */
        readonly workers: Executor;
        maxIdleWorkers: number;
        maxWorkers: number;
        /** Seconds, null for never. */
        idleWorkerTimeout: number | null;
        /** The child of that name, found or made; without a name a new one. */
        child(name?: string | null, options?: ThreadOptions): Caller;
        /** Keeps it until release(). @throws CLOSED */
        hold(): void;
        /** The last one stops it. */
        release(options?: {drain?: boolean}): Pending<null>;
        describe(): string;
        scheduleCall<A extends unknown[], T>(func: JobFunction<A, T>, args?: A,
            options?: Pick<SubmitParameters, 'context' | 'metadata' | 'trackers' | 'group'> & {backend?: string | null}): Pending<T>;
        /** The queue of that name, found or made; with an owner it ends with that. */
        queue(key: string, owner?: GObject.Object | null): CallQueue;
        /** When the calls of func before are over. */
        queueCall<A extends unknown[]>(func: (...args: A) => unknown, ...args: A): void;
        queueGet(func: Function): Pending<null> | null;
        queueClose(func: Function): void;
        getProtected(): boolean;
        setProtected(isProtected: boolean): void;
        getMaxIdleWorkers(): number;
        setMaxIdleWorkers(maxIdleWorkers: number): void;
        getMaxWorkers(): number;
        setMaxWorkers(maxWorkers: number): void;
        getIdleWorkerTimeout(): number | null;
        setIdleWorkerTimeout(seconds: number | null): void;
        listChildren(): Caller[];
        dupOptions(): CallerOptions;
        /** @throws NOT_SUPPORTED */
        toThread(): never;
        readonly id: number;
        readonly context: GLib.MainContext;
        readonly started: Pending<null>;
        readonly stopping: Pending<null>;
        readonly stopped: Pending<null>;
        callSoon<A extends unknown[], T>(func: JobFunction<A, T>, ...args: A): Pending<T>;
        callLater<A extends unknown[], T>(seconds: number, func: JobFunction<A, T>, ...args: A): Pending<T>;
        callDirect<A extends unknown[]>(func: (...args: A) => unknown, ...args: A): void;
        stop(options?: {force?: boolean} | boolean): Pending<null>;
        getContext(): GLib.MainContext;
        getId(): number;
        getStarted(): Pending<null>;
        getStopping(): Pending<null>;
        getStopped(): Pending<null>;
        /** @throws NOT_SUPPORTED */
        setWakeFunc(): never;
        /** @throws NOT_SUPPORTED */
        dispatch(): never;
        /** @throws NOT_SUPPORTED */
        getReadyTime(): never;
    }

    /** At most so many jobs at once on another executor. JavaScript's functions only if they may run on that. */
    export class Limiter extends Executor {
        constructor(parameters?: {wrapped?: Executor; maxConcurrent?: number; name?: string; maxPending?: number;
            recordTimes?: boolean; operations?: Operations});
        static new(wrapped: Executor, maxConcurrent?: number): Limiter;
        readonly wrapped: Executor;
        maxConcurrent: number;
        /** A slot for work that is no job: release() it. */
        acquire(): Pending<Permit>;
        getWrapped(): Executor;
        getMaxConcurrent(): number;
        setMaxConcurrent(maxConcurrent: number): void;
    }

    /** A slot of a limiter. */
    export class Permit {
        /** Gives it back; once, whoever asks again. */
        release(): void;
        ref(): Permit;
        unref(): void;
    }

    /** Several threads with a main context each; they run operations, and no functions of JavaScript. */
    export class CallerPool extends Executor {
        constructor(parameters?: {nCallers?: number; name?: string; maxPending?: number; recordTimes?: boolean;
            operations?: Operations});
        static new(nCallers?: number): CallerPool;
        readonly nCallers: number;
        getNCallers(): number;
        listCallers(): Caller[];
        /** Jobs that each caller was given and has not done yet. */
        dupLoads(): number[];
        /** Which caller would get the next job; asking changes nothing. */
        pick(): number;
    }

    /** Work that is known by its name; implemented in C or Vala. */
    export class Operations extends GObject.Object {
        static new(): Operations;
        static getDefault(): Operations;
        list(): string[];
        lookup(name: string): [boolean, GLib.VariantType | null, GLib.VariantType | null];
        dupKeys(name: string): GLib.Variant | null;
        remove(name: string): boolean;
        loadModule(path: string): boolean;
        /** @throws NOT_SUPPORTED */
        add(): never;
        /** @throws NOT_SUPPORTED */
        addWithKeys(): never;
    }

    /** Options of a submission; Executor.options() is shorter. */
    export class SubmitOptions {
        static new(): SubmitOptions;
        copy(): SubmitOptions;
        free(): void;
        setName(name: string | null): void;
        setPriority(priority: Priority): void;
        setTimeout(seconds: Seconds): void;
        setCancellable(cancellable: Gio.Cancellable | null): void;
        setContext(context: Context | null): void;
        setMetadata(key: string, value: Plain | undefined): void;
        setSubscriber(func: (message: any, pending: Pending<any>) => void): void;
        setReleaseOnOwner(release: boolean): void;
        setTrackers(trackerTypes: GObject.GType[]): void;
        setGroup(group: PendingGroup | null): void;
    }

    /** The values of context variables; restored around callbacks, not after an await. */
    export class Context {
        static new(): Context;
        static getCurrent(): Context;
        static refCurrent(): Context;
        run<A extends unknown[], T>(func: (...args: A) => T, ...args: A): T;
        ref(): Context;
        unref(): void;
    }

    export class ContextToken {
        ref(): ContextToken;
        unref(): void;
    }

    export class ContextVar<T = unknown> extends GObject.Object {
        static new<T>(name: string, value?: T): ContextVar<T>;
        readonly name: string;
        readonly value: T;
        getName(): string;
        getValue(): T;
        setValue(value: T): ContextToken;
        set(value: T): ContextToken;
        /** Of GObject. */
        set(properties: {[name: string]: any}): void;
        dupValue(): T;
        reset(token: ContextToken): boolean;
    }
}
