from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from coaching.engine import wake
from coaching.models import Import
from coaching.queries import access, imports
from coaching.services import imports as import_services
from coaching.web.doors import flashing, for_manager
from coaching.web.forms import UploadForm
from coaching.web.mapping_form import MappingForm
from coaching.web.paging import page_of
from coaching.web.uploads import refusal


@for_manager
def import_list(request: HttpRequest) -> HttpResponse:
    page = page_of(request, imports.visible_to(request.person), size=30)
    return render(request, "manager/imports.html", {"page": page})


@for_manager
def import_new(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, reader=request.person)
    too_large = refusal(request)
    if too_large:
        form.errors.pop("file", None)
        messages.error(request, too_large)
        return render(request, "manager/import_new.html", {"form": form}, status=413)
    if form.is_valid():
        upload = form.cleaned_data["file"]
        with flashing(request) as attempt:
            source = import_services.receive(
                filename=upload.name,
                content=upload.read(),
                by=request.person,
                team=form.cleaned_data["team"],
                now=request.now,
            )
            wake()
        if attempt.done:
            return redirect("import", source.public_id)
    return render(request, "manager/import_new.html", {"form": form})


@for_manager
def import_page(request: HttpRequest, source: str) -> HttpResponse:
    row = _source(request, source)
    form = MappingForm(source=row) if row.state == Import.State.READY else None
    return render(request, "manager/import.html", {"source": row, "form": form})


def _source(request: HttpRequest, source: str) -> Import:
    return access.found_or_404(imports.visible_to(request.person), source)


@require_POST
@for_manager
def import_remap(request: HttpRequest, source: str) -> HttpResponse:
    row = _source(request, source)
    form = MappingForm(source=row, answers=request.POST)
    with flashing(request):
        import_services.remap(
            source=row, mapping=form.mapping(), by=request.person, now=request.now
        )
        wake()
    return redirect("import", source)


@require_POST
@for_manager
def import_confirm(request: HttpRequest, source: str) -> HttpResponse:
    row = _source(request, source)
    with flashing(request):
        import_services.confirm(
            source=row,
            good_rows_only=request.POST.get("good_rows_only") == "yes",
            by=request.person,
            now=request.now,
        )
        wake()
    return redirect("import", source)


@require_POST
@for_manager
def import_cancel(request: HttpRequest, source: str) -> HttpResponse:
    row = _source(request, source)
    with flashing(
        request, gettext("%(file)s is cancelled; nothing was written.") % {"file": row.filename}
    ):
        import_services.cancel(source=row, by=request.person, now=request.now)
    return redirect("imports")
