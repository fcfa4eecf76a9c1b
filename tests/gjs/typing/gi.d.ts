// SPDX-License-Identifier: LGPL-2.1-or-later

// As much of the modules of GLib as the declarations refer to, with what a
// class inherits from GObject.

declare module 'gi://GObject?version=2.0' {
    namespace GObject {
        class Object {
            connect(signal: string, callback: (...args: any[]) => any): number;
            connect_after(signal: string, callback: (...args: any[]) => any): number;
            disconnect(id: number): void;
            emit(signal: string, ...args: any[]): any;
            set(properties: {[name: string]: any}): void;
            notify(name: string): void;
            bind_property(source: string, target: Object, property: string, flags: number): Binding;
        }
        class Binding extends Object {
            unbind(): void;
        }
        class Value {}
        type GType<T = unknown> = {__type__(arg: never): T} & {name: string};
    }
    export default GObject;
}

declare module 'gi://GLib?version=2.0' {
    namespace GLib {
        class Bytes {
            constructor(data: Uint8Array);
            toArray(): Uint8Array;
        }
        class Error {
            readonly domain: number;
            readonly code: number;
            message: string;
            constructor(domain: any, code: number, message: string);
            matches(domain: any, code: number): boolean;
        }
        class MainContext {
            static default(): MainContext;
        }
        class Variant {
            constructor(type: string, value: any);
        }
        class VariantType {
            constructor(type: string);
        }
    }
    export default GLib;
}

declare module 'gi://Gio?version=2.0' {
    import type GObject from 'gi://GObject?version=2.0';

    namespace Gio {
        class Cancellable extends GObject.Object {
            cancel(): void;
            is_cancelled(): boolean;
        }
        interface ListModel extends GObject.Object {
            get_n_items(): number;
            get_item(index: number): GObject.Object | null;
        }
        class AsyncResult extends GObject.Object {}
    }
    export default Gio;
}
