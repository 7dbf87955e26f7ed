"""The messages in Spanish, as it is spoken in Peru."""

from __future__ import annotations

from audio_extract_dagster.model import JobStatus
from audio_extract_dagster.notify.texts import Texts

SPANISH = Texts(
    language="es",
    date_format="{weekday} {day} de {month} de {year}",
    span_format="{first} al {last}",
    weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    months=(
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "setiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
    title="Grabaciones del {day}",
    subject="Grabaciones del {day}: {outcome}, {stored} guardadas, {open} por resolver",
    subject_without_counts="Grabaciones del {day}: {outcome}",
    outcomes={
        JobStatus.SUCCEEDED: "completo",
        JobStatus.INCOMPLETE: "aún incompleto",
        JobStatus.FAILED: "FALLIDO",
        JobStatus.CANCELED: "CANCELADO",
    },
    statuses={
        JobStatus.SUCCEEDED: "Completo: todas las grabaciones que existen están guardadas.",
        JobStatus.INCOMPLETE: "Aún incompleto: faltan grabaciones que todavía pueden llegar.",
        JobStatus.FAILED: "Fallido: alguien debe revisarlo.",
        JobStatus.CANCELED: "Cancelado antes de terminar.",
    },
    next_steps={
        JobStatus.SUCCEEDED: "Nada.",
        JobStatus.INCOMPLETE: (
            "Nada por ahora: lo que falta se vuelve a pedir solo. Revíselo si el mismo día sigue "
            "incompleto después de una semana."
        ),
        JobStatus.FAILED: (
            "Resuelva la causa indicada arriba y vuelva a ejecutar {day} (en Dagster o con "
            "`audio-extract run --date {date}`). Lo ya guardado no se descarga otra vez. "
            "`audio-extract doctor` revisa accesos y configuración."
        ),
        JobStatus.CANCELED: (
            "Nada si es un día de los últimos siete: la programación lo vuelve a pedir sola la "
            "próxima vez que se active. Si lo quiere antes, o si es más antiguo, vuelva a ejecutar "
            "{day} (en Dagster o con `audio-extract run --date {date}`). Continúa donde se detuvo."
        ),
    },
    not_run_subject="Grabaciones del {day}: NO SE EJECUTÓ",
    not_run="No se ejecutó: el día estaba pendiente y ninguna ejecución ha comenzado.",
    not_run_step=(
        "Vea en Dagster si la programación daily_extraction está activa y su daemon en marcha; "
        "luego ejecute {day} (en Dagster, o `audio-extract run --date {day}`). La programación "
        "también lo pedirá la próxima vez que se active."
    ),
    retention_title="Retención de grabaciones",
    retention_subject="Retención de grabaciones: FALLIDA",
    retention_failed="Fallida: no se borró todo lo que supera RETENTION_DAYS.",
    retention_step=(
        "Resuelva la causa indicada arriba y ejecute el job expire_old_days en Dagster, o "
        "`audio-extract expire`. Se intenta de nuevo cada noche."
    ),
    first_error="Qué salió mal",
    next_step="Qué hacer",
    open_run="Abrir la ejecución",
    open_backfill="Abrir el backfill",
    none="Nada",
    calls="Llamadas",
    counts_unknown="Sin datos: no se pudo acceder a la base de datos.",
    conversations="Conversaciones",
    conversations_note="de voz, iniciadas ese día = llamadas con agente + excluidas",
    agent_calls="Llamadas con agente",
    agent_calls_note="un agente contestó o le timbró",
    excluded="Excluidas",
    excluded_note="sin participación de un agente",
    by_hour="Llamadas con agente por hora",
    recordings="Grabaciones de las llamadas con agente",
    record_statuses=(
        ("Guardadas", "el archivo está completo"),
        ("Pendientes", "Genesys todavía puede entregarlas"),
        ("Faltantes", "Genesys no las entregará"),
        ("Fallidas", "la próxima ejecución las pide de nuevo"),
    ),
    total="Total",
    total_note="una llamada puede tener varias grabaciones, o una línea que dice por qué no hay",
    reasons="Motivos",
    why={
        "uploading": "Aún se está subiendo",
        "restoring": "Se está restaurando del archivo",
        "unknown_state": "En un estado desconocido",
        "call_open": "La llamada no ha terminado",
        "not_listed_yet": "Terminó hace poco, la grabación aún no figura",
        "link_expired": "El enlace venció antes de la descarga",
        "batch_unfinished": "Genesys no terminó de prepararla",
        "not_requested": "Aún no se ha pedido",
        "not_answered": "Ningún agente contestó",
        "not_recorded": "La llamada no se grabó",
        "deleted": "Borrada en Genesys Cloud",
        "archived": "Archivada en Genesys Cloud",
        "error_state": "Genesys Cloud la marca como defectuosa",
        "withdrawn": "Genesys Cloud ya no la muestra",
        "no_permission": "El cliente no tiene permiso para leerla",
        "late_audio_expired": "No llegó en los días previstos",
        "never_closed": "La llamada nunca se cerró",
        "retention": "Borrada al cumplirse su plazo",
        "not_delivered": "Disponible, pero el lote no la trajo",
        "transfer_broken": "La descarga se interrumpió",
        "not_audio": "Lo recibido no era audio",
        "metadata_unreadable": "No se pudieron leer sus metadatos",
        "file_lost": "El archivo guardado se perdió o está dañado",
        "no_agent": "Excluida: sin agente en la conversación",
        "agent_without_voice": "Excluida: el agente no participó por voz",
    },
    effort="Tamaño y esfuerzo",
    audio="Audio",
    size="Guardado",
    ignored="Grabaciones de pantalla y chat omitidas",
    run_time="Duración de la ejecución",
    requests="Solicitudes a la API",
    waiting="Espera por Genesys Cloud",
    digest_columns=("Día", "Guardadas", "Pendientes", "Faltantes", "Fallidas"),
)
