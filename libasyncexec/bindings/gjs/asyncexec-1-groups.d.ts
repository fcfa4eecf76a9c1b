// SPDX-License-Identifier: LGPL-2.1-or-later

/** The part of asyncexec-1.d.ts about scopes, trackers and groups. */
declare module 'gi://AsyncExec?version=1' {
    import type Gio from 'gi://Gio?version=2.0';
    import type GObject from 'gi://GObject?version=2.0';

    export enum GroupMode { IGNORE, RAISE, QUIET, RAISE_AT_END }

    export interface GroupOptions {
        /** IGNORE by default. */
        mode?: GroupMode;
        /** The scopes and the job around it do not cancel it. */
        shield?: boolean;
        /** After so long it is cancelled. */
        timeout?: Seconds;
        /** How long a cancelled group waits for members that do not listen; 10 by default. */
        cancellationTimeout?: Seconds;
    }

    export interface ScopeOptions {
        /** From the construction. */
        timeout?: Seconds;
        /** Scopes outside, and the cancellation of the running job, are not observed inside. */
        shield?: boolean;
        /** Cancels the scope. */
        cancellable?: Gio.Cancellable | null;
    }

    /**
     * A time limit and a way to cancel for several things. JavaScript can not stay inside over an await: what stands
     * in the scope is what run() calls, up to its first await, and what add() and wait() are given.
     */
    export class Scope {
        constructor(options?: ScopeOptions);
        static new(options?: ScopeOptions): Scope;
        /** Calls func with a scope, inside, and waits inside for what it returns; then leaves. */
        static run<T>(options: ScopeOptions, func: (scope: Scope) => Awaitable<T>): Promise<T>;
        /** @throws NOT_SUPPORTED */
        static enter(): never;
        readonly cancelled: boolean;
        /** Monotonic seconds; null for never. */
        readonly deadline: number | null;
        readonly cancellable: Gio.Cancellable;
        /** What func submits is cancelled with the scope, and has its time limit. */
        run<A extends unknown[], T>(func: (...args: A) => T, ...args: A): T;
        /** Throws when the scope is over before the pending is done, and cancels that, as waitAsync() does. */
        wait<T>(value: Awaitable<T>, options?: WaitOptions): Promise<T>;
        /** The pending ends with the scope. */
        add<T>(pending: Pending<T>): Pending<T>;
        cancel(): void;
        /** Throws when the scope is over. */
        check(): boolean;
        /** It does not count any more. True if it was cancelled, or its time is over. */
        leave(): boolean;
        isCancelled(): boolean;
        getCancellable(): Gio.Cancellable;
        getDeadlineUs(): number;
        /** The same as wait(). */
        waitAsync<T>(value: Awaitable<T>, options?: WaitOptions): Promise<T>;
        /** @throws NOT_SUPPORTED */
        waitFinish(): never;
        ref(): Scope;
        unref(): void;
    }

    /** Knows the pendings that are made while it is active; forgets them when they are done. */
    export abstract class PendingTracker extends GObject.Object {
        static getCurrent(type?: GObject.GType): PendingTracker | null;
        static refCurrent(type?: GObject.GType): PendingTracker | null;
        static getActiveId(type: GObject.GType): number;
        readonly id: number;
        readonly nPendings: number;
        readonly pendings: Pending<any>[];
        readonly model: Gio.ListModel;
        add(pending: unknown): unknown;
        getId(): number;
        getNPendings(): number;
        dupPendings(): Pending<any>[];
        getModel(): Gio.ListModel;
    }

    /** A tracker that only looks on. */
    export class PendingManager extends PendingTracker {
        static new(): PendingManager;
        /** What func submits, until its first await, is known to it. */
        run<A extends unknown[], T>(func: (...args: A) => T, ...args: A): T;
        push(): ContextToken;
        pop(token: ContextToken): boolean;
        remove(pending: Pending<any>): boolean;
    }

    /**
     * A function and all the work that is started in it: it ends when all of that has ended, with all the errors.
     * JavaScript can not stay inside over an await: what belongs to the group is what run() calls, up to its first
     * await, and what spawn(), submit(), on() and add() are given.
     */
    export class PendingGroup extends PendingTracker {
        constructor(options?: GroupOptions);
        static new(mode?: GroupMode): PendingGroup;
        /**
         * Calls func with a group, and waits for what it returns and for all members. A plain await in func is not
         * ended when the group is cancelled: wait() of the group is.
         */
        static run<T>(options: GroupOptions | PendingGroup, func: (group: PendingGroup) => Awaitable<T>): Promise<T>;
        static getCurrent(): PendingGroup | null;
        static refCurrent(): PendingGroup | null;
        readonly mode: GroupMode;
        shield: boolean;
        timeout: Seconds;
        cancellationTimeout: Seconds;
        readonly cancelled: boolean;
        readonly over: boolean;
        readonly cancellable: Gio.Cancellable;
        readonly scope: Scope;
        /** A pending, or a promise or a value as one, becomes a member. */
        add<T>(value: Awaitable<T>): Pending<T>;
        /** The executor, for what is to be a member. */
        on(executor: Executor): OptionsView;
        spawn<A extends unknown[], T>(func: JobFunction<A, T>, ...args: A): Pending<T>;
        submit<A extends unknown[], T>(executor: Executor, func: JobFunction<A, T>, ...args: A): Pending<T>;
        /**
         * Calls func(item) for each, one after the other on an executor of this thread, as one member. Gives nothing
         * back: an item that fails cancels the group, and what has not started.
         */
        forEach<T>(executor: Executor, func: (item: T) => unknown, items: Iterable<Awaitable<T>> | AsyncIterable<T>): void;
        cancel(message?: string | null): boolean;
        /** Waits as long as the group is not cancelled. */
        wait<T>(value: Awaitable<T>, options?: WaitOptions): Promise<T>;
        /** Done when it has no members left. */
        join(): Pending<null>;
        begin(): boolean;
        end(): Pending<null>;
        /** @throws NOT_SUPPORTED */
        enter(): never;
        /** @throws NOT_SUPPORTED */
        leave(): never;
        isCancelled(): boolean;
        isOver(): boolean;
        getCancellable(): Gio.Cancellable;
        getScope(): Scope;
        getMode(): GroupMode;
        getShield(): boolean;
        setShield(shield: boolean): void;
        getTimeout(): Seconds;
        setTimeout(seconds: Seconds): void;
        getCancellationTimeout(): Seconds;
        setCancellationTimeout(seconds: Seconds): void;
    }

    export interface ServiceOptions {
        caller?: Caller | null;
        name?: string | null;
    }

    /** Something that runs for a while, says when it has started, and is told when to stop. */
    export class Service extends GObject.Object {
        readonly caller: Caller;
        readonly name: string | null;
        readonly started: Pending<null>;
        readonly stopping: Pending<null>;
        readonly stopped: Pending<unknown>;
        constructor(func: (service: Service) => unknown, options?: ServiceOptions);
        constructor(options?: ServiceOptions);
        static new(caller?: Caller | null, name?: string | null, func?: ((service: Service) => unknown) | null): Service;
        /** Of a subclass; it may be async. */
        vfunc_run(): unknown;
        setFunc(func: (service: Service) => unknown): void;
        /** Resolves when it has started. */
        start(): Pending<null>;
        /** Done when it has ended. */
        stop(): Pending<unknown>;
        /** By its function: it has started. */
        ready(): boolean;
        /** Runs func when it has started, and stops it; settles when it has ended. */
        use<A extends unknown[], T>(func: (service: Service, ...args: A) => Awaitable<T>, ...args: A): Promise<T>;
        /** @throws NOT_SUPPORTED */
        enter(): never;
        getStarted(): Pending<null>;
        getStopping(): Pending<null>;
        getStopped(): Pending<unknown>;
        getCaller(): Caller;
        getName(): string | null;
    }

    /** A value that is made when somebody asks, and once. */
    export class Lazy<T = unknown> extends GObject.Object {
        readonly made: boolean;
        readonly executor: Executor | null;
        /** Without an executor it is made inside the first get(). */
        constructor(func: () => Awaitable<T>, options?: {executor?: Executor | null});
        static new<T>(executor: Executor | null, func: () => Awaitable<T>): Lazy<T>;
        static newAsync<T>(executor: Executor | null, func: () => Awaitable<T>): Lazy<T>;
        get(): Pending<T>;
        /** @throws NOT_DONE */
        peek(): T;
        /** @throws NOT_DONE */
        dupValue(): T;
        isMade(): boolean;
        getExecutor(): Executor | null;
    }

    export type Group = PendingGroup;
    export const Group: typeof PendingGroup;
}
