// SPDX-License-Identifier: LGPL-2.1-or-later
// The library links it, so the compiler is told of it; Vala has no such file, and nothing here is needed from it.
