/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller.h"

G_BEGIN_DECLS

#define AEX_TYPE_SERVICE (aex_service_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (AexService, aex_service, AEX, SERVICE, GObject)

/**
 * AexServiceFunc:
 * @service: the service that runs
 * @user_data: (closure): the data given with the function
 * @error: return location for an error
 *
 * What a service does, in coroutine form: it starts work, calls
 * [method@Service.ready] when it serves, and returns a pending that is done when
 * it has ended, some time after [method@Service.get_stopping] is.
 *
 * Called once, on the caller of @service, with the [struct@Context] of
 * [method@Service.start]. Returning %NULL without an error ends the service at
 * once.
 *
 * Returns: (transfer full) (nullable): the end of the service, or %NULL
 *
 * Since: 1.0
 */
typedef AexPending *(*AexServiceFunc) (AexService *service, gpointer user_data, GError **error);

/**
 * AexServiceClass::run:
 * @self: the service
 * @error: return location for an error
 *
 * What the service does, see [callback@ServiceFunc]: called once, on its caller.
 * Unless a subclass implements it, it calls the function of the service.
 *
 * Returns: (transfer full) (nullable): the end of the service, or %NULL
 *
 * Since: 1.0
 */
struct _AexServiceClass
{
  GObjectClass parent_class;
  /*< public >*/
  AexPending *(*run) (AexService *self, GError **error);
  /*< private >*/
  gpointer _reserved[8];
};

AEX_AVAILABLE_IN_1_0 AexService *aex_service_new          (AexCaller *caller, const char *name, AexServiceFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean    aex_service_set_func     (AexService *self, AexServiceFunc func, gpointer user_data, GDestroyNotify destroy, GError **error);
AEX_AVAILABLE_IN_1_0 AexPending *aex_service_start        (AexService *self);
AEX_AVAILABLE_IN_1_0 AexPending *aex_service_stop         (AexService *self);
AEX_AVAILABLE_IN_1_0 gboolean    aex_service_ready        (AexService *self);
AEX_AVAILABLE_IN_1_0 gboolean    aex_service_enter        (AexService *self, GError **error);
AEX_AVAILABLE_IN_1_0 AexPending *aex_service_get_started  (AexService *self);
AEX_AVAILABLE_IN_1_0 AexPending *aex_service_get_stopping (AexService *self);
AEX_AVAILABLE_IN_1_0 AexPending *aex_service_get_stopped  (AexService *self);
AEX_AVAILABLE_IN_1_0 AexCaller  *aex_service_get_caller   (AexService *self);
AEX_AVAILABLE_IN_1_0 const char *aex_service_get_name     (AexService *self);

G_END_DECLS
