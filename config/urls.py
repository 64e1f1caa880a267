from django.contrib import admin
from django.urls import include, path

from coaching.web.views import health

urlpatterns = [
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("coaching.api.urls")),
    path("", include("coaching.web.urls")),
]
