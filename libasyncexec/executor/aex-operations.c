/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-operation-private.h"

#include <gmodule.h>

#include "aex-error.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"

/**
 * AexOperations:
 *
 * A set of named operations: work whose parameters and result are
 * [struct@GLib.Variant]s of declared types, so that it can be called from every
 * language, by name, wherever it runs. [method@Executor.call] runs an operation
 * on an executor, from the set of that executor ([property@Executor:operations]).
 *
 * The default set has those that come with the library: `file-checksum`,
 * `file-load`, `file-save` and `file-walk`. They and their keys are described
 * in [Operations](operations.html).
 *
 * Any thread may use a set.
 *
 * Since: 1.0
 */

struct _AexOperations {
  GObject parent_instance;
  GMutex lock;
  GHashTable *table;      /* lock; name to AexOperation, whose name is the key */
  GHashTable *modules;    /* lock; modules whose operations are in the table */
};

G_DEFINE_FINAL_TYPE (AexOperations, aex_operations, G_TYPE_OBJECT)

static void
aex_operations_finalize (GObject *object)
{
  AexOperations *self = AEX_OPERATIONS (object);

  g_hash_table_unref (self->table);
  g_hash_table_unref (self->modules);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (aex_operations_parent_class)->finalize (object);
}

static void
aex_operations_class_init (AexOperationsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = aex_operations_finalize;
  aex_fork_watch ();
}

static void
aex_operations_init (AexOperations *self)
{
  g_mutex_init (&self->lock);
  self->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, aex_operation_unref);
  self->modules = g_hash_table_new (NULL, NULL);
}

/**
 * aex_operations_new:
 *
 * Makes an empty set.
 *
 * Returns: (transfer full): a new set
 *
 * Since: 1.0
 */
AexOperations *
aex_operations_new (void)
{
  return g_object_new (AEX_TYPE_OPERATIONS, NULL);
}

/* ---- adding */

static gboolean
invalid (GError **error, const char *message, const char *name)
{
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, message);
  g_prefix_error (error, "%s: ", name);
  return FALSE;
}

static gboolean
check_declaration (const char *name, const GVariantType *parameter_type, const GVariantType *result_type, GError **error)
{
  if (*name == '\0' || !g_utf8_validate (name, -1, NULL))
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                           _("The name of an operation must be UTF-8 and not empty"));
      return FALSE;
    }
  if (!g_variant_type_is_definite (parameter_type) || !g_variant_type_is_definite (result_type))
    return invalid (error, _("The types of an operation must be definite: use “v” where any type will do"), name);
  return TRUE;
}

static gboolean
check_declared_keys (const char *name, GVariant *keys, GError **error)
{
  const char *key, *type;
  gboolean required;
  GVariantIter iter;

  if (!g_variant_is_of_type (keys, G_VARIANT_TYPE ("a{s(gb)}")))
    return invalid (error, _("The keys of an operation must be of type a{s(gb)}: for each key its type, and whether it is required"), name);
  g_variant_iter_init (&iter, keys);
  while (g_variant_iter_next (&iter, "{&s(&gb)}", &key, &type, &required))
    if (!g_variant_type_string_is_valid (type) || !g_variant_type_is_definite (G_VARIANT_TYPE (type)))
      return invalid (error, _("The type of a key must be one definite type"), name);
  return TRUE;
}

/* Takes the operation when it says TRUE. */
static gboolean
insert (AexOperations *self, AexOperation *operation, GError **error)
{
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = !g_hash_table_contains (self->table, operation->name);
  if (is_new)
    g_hash_table_insert (self->table, (char *) operation->name, operation);
  g_mutex_unlock (&self->lock);
  if (!is_new)
    g_set_error (error, AEX_ERROR, AEX_ERROR_EXISTS,
                 _("There is an operation named “%s” already: remove it first, or use another name"), operation->name);
  return is_new;
}

/* Also in a forked child, which may ask for the default set first. */
static gboolean
add (AexOperations *self, const char *name, const GVariantType *parameter_type, const GVariantType *result_type, GVariant *keys,
     AexOperationFunc func, gpointer user_data, GDestroyNotify destroy, GError **error)
{
  AexOperation *operation = aex_operation_new (name, parameter_type, result_type, keys, func, user_data, destroy);

  if (check_declaration (name, parameter_type, result_type, error)
      && (keys == NULL || check_declared_keys (name, keys, error)) && insert (self, operation, error))
    return TRUE;
  aex_operation_unref (operation);
  return FALSE;
}

/* Nobody else is there to let go of it. */
static gboolean
refuse_forked (gpointer user_data, GDestroyNotify destroy)
{
  if (destroy != NULL)
    destroy (user_data);
  return FALSE;
}

/**
 * aex_operations_add:
 * @self: a set
 * @name: a name, not empty
 * @parameter_type: the type of its parameters, definite
 * @result_type: the type of its result, definite; `()` for none
 * @func: (scope notified) (closure user_data) (destroy destroy): the operation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on the delivery target
 *   of the calling thread: when the operation was removed and the last call of
 *   it has ended, when @self is finalised, or when %FALSE is returned
 * @error: return location for an error
 *
 * Adds an operation. A name that is taken is %AEX_ERROR_EXISTS; types that are
 * not definite are %AEX_ERROR_INVALID_ARGUMENT. For parameters with names, use
 * [method@Operations.add_with_keys].
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_operations_add (AexOperations *self, const char *name, const GVariantType *parameter_type, const GVariantType *result_type,
                    AexOperationFunc func, gpointer user_data, GDestroyNotify destroy, GError **error)
{
  g_return_val_if_fail (AEX_IS_OPERATIONS (self), FALSE);
  g_return_val_if_fail (name != NULL && parameter_type != NULL && result_type != NULL, FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  if (aex_fork_check (error))
    return refuse_forked (user_data, destroy);
  return add (self, name, parameter_type, result_type, NULL, func, user_data, destroy, error);
}

/**
 * aex_operations_add_with_keys:
 * @self: a set
 * @name: a name, not empty
 * @keys: the keys of its parameters, of type `a{s(gb)}`: for each key its type,
 *   and whether it is required; a floating reference is taken over
 * @result_type: the type of its result, definite; `()` for none
 * @func: (scope notified) (closure user_data) (destroy destroy): the operation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, as for [method@Operations.add]
 * @error: return location for an error
 *
 * Adds an operation whose parameters are a dictionary, `a{sv}`, of which each
 * key is declared. A call with a key that is not declared, with a value of
 * another type, or without a required key fails with
 * %AEX_ERROR_INVALID_ARGUMENT before the operation is called. Language bindings
 * pack the parameters of a call by these types.
 *
 * ```c
 * g_variant_new_parsed ("{'path': (signature 'ay', true), 'depth': (signature 'u', false)}")
 * ```
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_operations_add_with_keys (AexOperations *self, const char *name, GVariant *keys, const GVariantType *result_type,
                              AexOperationFunc func, gpointer user_data, GDestroyNotify destroy, GError **error)
{
  g_autoptr (GVariant) taken = NULL;

  g_return_val_if_fail (AEX_IS_OPERATIONS (self), FALSE);
  g_return_val_if_fail (name != NULL && keys != NULL && result_type != NULL, FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  taken = g_variant_ref_sink (keys);
  if (aex_fork_check (error))
    return refuse_forked (user_data, destroy);
  return add (self, name, G_VARIANT_TYPE_VARDICT, result_type, taken, func, user_data, destroy, error);
}

/**
 * aex_operations_remove:
 * @self: a set
 * @name: the name of an operation
 *
 * Removes an operation. Calls that were made before still run.
 *
 * Returns: whether there was one
 *
 * Since: 1.0
 */
gboolean
aex_operations_remove (AexOperations *self, const char *name)
{
  gpointer operation = NULL;

  g_return_val_if_fail (AEX_IS_OPERATIONS (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  if (aex_is_forked ())
    return FALSE;
  g_mutex_lock (&self->lock);
  g_hash_table_steal_extended (self->table, name, NULL, &operation);
  g_mutex_unlock (&self->lock);
  if (operation == NULL)
    return FALSE;
  aex_operation_unref (operation);
  return TRUE;
}

/* ---- those that come with the library */

static void
add_shipped (AexOperations *self, const char *name, const char *keys, const char *result_type, AexOperationFunc func)
{
  g_autoptr (GVariant) parsed = g_variant_ref_sink (g_variant_new_parsed (keys));
  g_autoptr (GError) error = NULL;

  if (!add (self, name, G_VARIANT_TYPE_VARDICT, G_VARIANT_TYPE (result_type), parsed, func, NULL, NULL, &error))
    g_error ("%s", error->message);
}

static gpointer
make_default (gpointer data)
{
  AexOperations *self = aex_operations_new ();

  (void) data;
  add_shipped (self, "file-checksum",
               "{'path': (signature 'ay', true), 'algorithm': (signature 's', false), 'offset': (signature 't', false),"
               " 'length': (signature 't', false), 'size': (signature 't', false), 'mtime': (signature 'x', false)}",
               "s", aex_file_checksum);
  add_shipped (self, "file-load",
               "{'path': (signature 'ay', true), 'offset': (signature 't', false), 'length': (signature 't', false),"
               " 'size': (signature 't', false), 'mtime': (signature 'x', false)}",
               "ay", aex_file_load);
  add_shipped (self, "file-save",
               "{'path': (signature 'ay', true), 'data': (signature 'ay', true), 'mode': (signature 'u', false)}",
               "t", aex_file_save);
  add_shipped (self, "file-walk",
               "{'path': (signature 'ay', true), 'follow': (signature 'b', false), 'min-size': (signature 't', false)}",
               "(ttt)", aex_file_walk);
  return self;
}

/**
 * aex_operations_get_default:
 *
 * Gets the set that executors use unless they are given another one. It has the
 * operations that come with the library; what is added to it can be called on
 * all these executors. It lives as long as the process.
 *
 * Returns: (transfer none): the default set
 *
 * Since: 1.0
 */
AexOperations *
aex_operations_get_default (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, make_default, NULL);
}

/* ---- looking up */

static AexOperation *
ref_if_there (AexOperations *self, const char *name)
{
  AexOperation *operation;

  if (aex_is_forked ())
    return NULL;
  g_mutex_lock (&self->lock);
  operation = g_hash_table_lookup (self->table, name);
  if (operation != NULL)
    aex_operation_ref (operation);
  g_mutex_unlock (&self->lock);
  return operation;
}

AexOperation *
aex_operations_ref_operation (AexOperations *self, const char *name, GError **error)
{
  AexOperation *operation = ref_if_there (self, name);

  if (operation == NULL)
    g_set_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND,
                 _("There is no operation named “%s” in the set that the executor uses: add it there, or load the "
                   "module that has it"), name);
  return operation;
}

/**
 * aex_operations_lookup:
 * @self: a set
 * @name: a name
 * @parameter_type: (out) (optional) (nullable) (transfer full): return location
 *   for the type of its parameters, %NULL when there is no such operation
 * @result_type: (out) (optional) (nullable) (transfer full): return location
 *   for the type of its result, %NULL when there is no such operation
 *
 * Looks an operation up.
 *
 * Returns: whether there is one
 *
 * Since: 1.0
 */
gboolean
aex_operations_lookup (AexOperations *self, const char *name, GVariantType **parameter_type, GVariantType **result_type)
{
  AexOperation *operation;

  g_return_val_if_fail (AEX_IS_OPERATIONS (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  operation = ref_if_there (self, name);
  if (parameter_type != NULL)
    *parameter_type = operation != NULL ? g_variant_type_copy (operation->parameter_type) : NULL;
  if (result_type != NULL)
    *result_type = operation != NULL ? g_variant_type_copy (operation->result_type) : NULL;
  if (operation == NULL)
    return FALSE;
  aex_operation_unref (operation);
  return TRUE;
}

/**
 * aex_operations_dup_keys:
 * @self: a set
 * @name: a name
 *
 * Gets the keys that an operation was added with, see
 * [method@Operations.add_with_keys].
 *
 * Returns: (transfer full) (nullable): the keys, of type `a{s(gb)}`; %NULL when
 *   there is no such operation or it has no keys
 *
 * Since: 1.0
 */
GVariant *
aex_operations_dup_keys (AexOperations *self, const char *name)
{
  AexOperation *operation;
  GVariant *keys = NULL;

  g_return_val_if_fail (AEX_IS_OPERATIONS (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  operation = ref_if_there (self, name);
  if (operation == NULL)
    return NULL;
  if (operation->keys != NULL)
    keys = g_variant_ref (operation->keys);
  aex_operation_unref (operation);
  return keys;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * aex_operations_list:
 * @self: a set
 *
 * Gets the names of the operations.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, sorted
 *
 * Since: 1.0
 */
char **
aex_operations_list (AexOperations *self)
{
  GPtrArray *names;
  GHashTableIter iter;
  gpointer name;

  g_return_val_if_fail (AEX_IS_OPERATIONS (self), NULL);

  names = g_ptr_array_new ();
  if (!aex_is_forked ())
    {
      g_mutex_lock (&self->lock);
      g_hash_table_iter_init (&iter, self->table);
      while (g_hash_table_iter_next (&iter, &name, NULL))
        g_ptr_array_add (names, g_strdup (name));
      g_mutex_unlock (&self->lock);
    }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* ---- modules */

static gboolean
has_module (AexOperations *self, GModule *module)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = g_hash_table_contains (self->modules, module);
  g_mutex_unlock (&self->lock);
  return known;
}

/* All of them or none; nothing when another thread was faster. */
static gboolean
take_over (AexOperations *self, GModule *module, AexOperations *added, GError **error)
{
  const char *taken = NULL;
  GHashTableIter iter;
  gpointer name, operation;

  g_mutex_lock (&self->lock);
  if (!g_hash_table_contains (self->modules, module))
    {
      g_hash_table_iter_init (&iter, added->table);
      while (taken == NULL && g_hash_table_iter_next (&iter, &name, NULL))
        if (g_hash_table_contains (self->table, name))
          taken = name;
      g_hash_table_iter_init (&iter, added->table);
      while (taken == NULL && g_hash_table_iter_next (&iter, &name, &operation))
        g_hash_table_insert (self->table, name, aex_operation_ref (operation));
      if (taken == NULL)
        g_hash_table_add (self->modules, module);
    }
  g_mutex_unlock (&self->lock);
  if (taken != NULL)
    g_set_error (error, AEX_ERROR, AEX_ERROR_EXISTS,
                 _("The module “%s” has an operation “%s”, of which there is one already"), g_module_name (module), taken);
  return taken == NULL;
}

static gboolean
register_module (AexOperations *self, GModule *module, GError **error)
{
  g_autoptr (AexOperations) added = aex_operations_new ();
  AexOperationsRegisterFunc func = NULL;
  GError *failure = NULL;

  if (!g_module_symbol (module, AEX_OPERATIONS_REGISTER_SYMBOL, (gpointer *) &func) || func == NULL)
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND,
                   _("“%s” is no module of operations: it does not export the function %s()"),
                   g_module_name (module), AEX_OPERATIONS_REGISTER_SYMBOL);
      return FALSE;
    }
  if (func (added, &failure))
    {
      g_clear_error (&failure);
      return take_over (self, module, added, error);
    }
  if (failure == NULL)
    failure = g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED, _("it failed without setting an error"));
  g_propagate_prefixed_error (error, failure, _("The module “%s” could not register its operations: "), g_module_name (module));
  return FALSE;
}

/**
 * aex_operations_load_module:
 * @self: a set
 * @path: (type filename): a shared library
 * @error: return location for an error
 *
 * Loads a module and adds the operations that it registers: see
 * [callback@OperationsRegisterFunc]. Either all of them are added or, when it
 * fails, none. Loading a module again does nothing. A module is never unloaded.
 *
 * A file that is not there, or exports no register function, is
 * %AEX_ERROR_NOT_FOUND, one that cannot be loaded %AEX_ERROR_FAILED, an
 * operation whose name is taken %AEX_ERROR_EXISTS.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_operations_load_module (AexOperations *self, const char *path, GError **error)
{
  g_autofree char *absolute = NULL;
  g_autofree char *shown = NULL;
  g_autoptr (GError) reason = NULL;
  GModule *module;

  g_return_val_if_fail (AEX_IS_OPERATIONS (self), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  if (aex_fork_check (error))
    return FALSE;
  /* Never one from the search path that happens to have the same name. */
  absolute = g_canonicalize_filename (path, NULL);
  shown = g_filename_display_name (absolute);
  if (!g_file_test (absolute, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND, _("There is no module “%s”"), shown);
      return FALSE;
    }
  module = g_module_open_full (absolute, G_MODULE_BIND_LOCAL, &reason);
  if (module == NULL)
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_FAILED, _("The module “%s” could not be loaded: %s"), shown, reason->message);
      return FALSE;
    }
  /* Never closed: types and closures that come from it stay.  g_module_make_resident() would say the same, in a field
   * that a thread that opens the module reads at the same time. */
  return has_module (self, module) || register_module (self, module, error);
}
