"""What the gateway may say is wrong with a call, as RFC 9457 problem details: in Portuguese, for who wrote the client.

Each kind of problem has a page, `docs/reference/problems/<slug>.md`, which its `type` leads to.
"""

from dataclasses import dataclass
from typing import Any, Final

from infra import names

__all__ = [
    "MEDIA_TYPE",
    "MEDIA_TYPE_NOT_ACCEPTED",
    "METHOD_NOT_ALLOWED",
    "PROBLEMS",
    "SOURCE_ADDRESS",
    "Problem",
    "kinds",
    "members",
]

MEDIA_TYPE: Final = "application/problem+json"
SOURCE_ADDRESS: Final = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
"""Where a call comes from, as far as the stack's `gateway.clientAddress` lets the gateway believe it."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One answer. Answers of one kind share slug and title; `when` tells them apart."""

    status: int
    slug: str
    title: str
    detail: str
    """What is wrong and what to do. `%…%` are Envoy's command operators."""
    when: str = ""
    """What Envoy's response code details must hold; empty: whatever they say."""
    headers: tuple[tuple[str, str], ...] = ()
    """What the answer says to programs, besides the body."""


METHOD_NOT_ALLOWED: Final = Problem(
    status=405,
    slug="metodo-nao-permitido",
    title="Método não permitido",
    detail="Este endereço não aceita o método HTTP usado. Use um dos métodos do cabeçalho Allow da resposta.",
)

MEDIA_TYPE_NOT_ACCEPTED: Final = Problem(
    status=415,
    slug="formato-nao-aceito",
    title="Formato não aceito",
    detail="Este endereço não aceita o formato do corpo. Envie um Content-Type do cabeçalho Accept da resposta.",
)

PROBLEMS: Final = (
    Problem(
        status=400,
        slug="requisicao-invalida",
        title="Requisição inválida",
        detail="O caminho da requisição não está na forma normal. Retire dele barras codificadas, como %%2F ou %%5C.",
        when="path_normalization_failed",
    ),
    Problem(
        status=400,
        slug="requisicao-invalida",
        title="Requisição inválida",
        detail="Nomes de cabeçalhos não podem ter sublinhado (_). Use hífen, ou retire o cabeçalho.",
        when="unexpected_underscore",
    ),
    Problem(
        status=400,
        slug="requisicao-invalida",
        title="Requisição inválida",
        detail="A requisição não segue o protocolo HTTP/1.1 e não foi repassada. Confira método, caminho, cabeçalhos e"
        " tamanho do corpo.",
    ),
    Problem(
        status=401,
        slug="nao-autenticado",
        title="Token ausente ou inválido",
        detail="A chamada não tem token. Obtenha um em POST " + names.TOKEN_PATH + " e envie-o em um único cabeçalho"
        " Authorization: Bearer <token>.",
        when="Jwt_is_missing",
    ),
    Problem(
        status=401,
        slug="nao-autenticado",
        title="Token ausente ou inválido",
        detail="O token expirou. Obtenha outro em POST " + names.TOKEN_PATH + " e repita a chamada.",
        when="Jwt_is_expired",
    ),
    Problem(
        status=401,
        slug="nao-autenticado",
        title="Token ausente ou inválido",
        detail="O token não é válido neste ambiente. Obtenha outro em POST " + names.TOKEN_PATH + " com a chave deste"
        " ambiente e envie-o sem alterações.",
    ),
    Problem(
        status=403,
        slug="acesso-negado",
        title="Acesso negado",
        detail="Esta chave não dá acesso a esta API, ou foi suspensa ou revogada, ou não vale a partir do endereço de"
        f" origem: sua chamada veio de {SOURCE_ADDRESS}. Confira a chave, a situação da concessão e os endereços nela"
        " registrados.",
    ),
    Problem(
        status=404,
        slug="nao-encontrado",
        title="Não encontrado",
        detail="Nenhuma API atende neste endereço. Confira o nome e a versão da API no caminho, que começa por"
        " /api-<nome>/v<número>.",
    ),
    METHOD_NOT_ALLOWED,
    Problem(
        status=408,
        slug="requisicao-demorada",
        title="Requisição demorada",
        detail="A requisição não chegou inteira a tempo. Repita a chamada; se persistir, verifique a sua rede.",
    ),
    Problem(
        status=410,
        slug="versao-encerrada",
        title="Versão encerrada",
        detail="Esta versão da API foi encerrada. Passe a usar a versão vigente, indicada no catálogo de APIs.",
    ),
    Problem(
        status=413,
        slug="corpo-grande-demais",
        title="Corpo grande demais",
        detail="O corpo da requisição passa do limite deste gateway. Divida os dados em chamadas menores.",
    ),
    MEDIA_TYPE_NOT_ACCEPTED,
    Problem(
        status=429,
        slug="limite-de-chamadas",
        title="Limite de chamadas atingido",
        detail="O limite de chamadas por segundo foi atingido. Espere o que o cabeçalho Retry-After diz, repita a"
        " chamada e distribua as próximas no tempo.",
        headers=(("retry-after", "1"),),
    ),
    Problem(
        status=431,
        slug="cabecalhos-grandes-demais",
        title="Cabeçalhos grandes demais",
        detail="Os cabeçalhos da requisição são muitos ou grandes demais. Envie só os que a API pede.",
    ),
    Problem(
        status=502,
        slug="resposta-invalida",
        title="Resposta inválida da API",
        detail="O órgão que oferece a API deu uma resposta que não segue o protocolo HTTP. Tente mais tarde; se"
        " persistir, informe o requestId ao contato da API.",
    ),
    Problem(
        status=503,
        slug="api-indisponivel",
        title="API indisponível",
        detail="O gateway não consegue contar as chamadas agora, e esta API não aceita chamadas sem contagem. Sua"
        " requisição está correta: tente de novo em alguns instantes.",
        when="rate_limiter_error",
    ),
    Problem(
        status=503,
        slug="api-indisponivel",
        title="API indisponível",
        detail="O sistema do órgão que oferece a API não está acessível. Sua requisição está correta: tente de novo em"
        " alguns instantes; se persistir, informe o requestId ao contato da API.",
    ),
    Problem(
        status=504,
        slug="tempo-esgotado",
        title="Tempo esgotado",
        detail="O órgão que oferece a API não respondeu a tempo, e pode ainda estar executando o pedido. Antes de"
        " repetir, verifique se isso pode ter efeito; se persistir, informe o requestId ao contato da API.",
    ),
    Problem(
        status=500,
        slug="erro-interno",
        title="Erro interno do gateway",
        detail="O gateway não pôde atender a chamada. Tente mais tarde; se persistir, informe o requestId à gestão da"
        " plataforma.",
    ),
)
"""Of two answers with one status, the one with `when` comes first."""


TOLD_BY_ROUTES: Final = {"cabecalho-invalido": "Cabeçalho ausente ou inválido"}
"""Further kinds, slug → title, of which the routes of single APIs tell: the operator writes them."""


def kinds() -> dict[str, str]:
    """Slug → title of every kind."""
    return {problem.slug: problem.title for problem in PROBLEMS} | TOLD_BY_ROUTES


def members(problem: Problem, gateway_url: str) -> dict[str, Any]:
    """The members of the JSON object, as a format of Envoy's: status and request id are those of the call."""
    return {
        "type": f"{gateway_url}{names.PROBLEMS_PATH}/{problem.slug}",
        "title": problem.title,
        "status": "%RESPONSE_CODE%",
        "detail": problem.detail,
        "requestId": "%REQ(X-REQUEST-ID)%",
    }
