package mapping

import (
	"html/template"
	"strings"
)

// HTML returns the guide as a fragment of HTML, to be put into a page of the
// host: headings from h1 on, paragraphs, lists, tables and code, with one
// article of the class "scim-guide" around them. There are no styles, scripts or
// images in it, and every text is escaped.
func (g *Guide) HTML() template.HTML {
	page := struct {
		Title    string
		Sections []htmlSection
	}{Title: g.Title}
	for _, s := range g.Sections {
		page.Sections = append(page.Sections, htmlSection{s.ID, parseSpans(s.Title), parseBlocks(s.Markdown)})
	}
	var b strings.Builder
	if err := template.Must(template.New("guide").Parse(htmlPage)).Execute(&b, page); err != nil {
		panic("mapping: a guide cannot be written: " + err.Error()) // the template and the data are ours
	}
	return template.HTML(b.String())
}

type htmlSection struct {
	ID     string
	Title  []span
	Blocks []block
}

const htmlPage = `
{{- define "spans"}}{{range .}}
{{- if .Code}}<code>{{.Text}}</code>
{{- else if .Strong}}<strong>{{.Text}}</strong>
{{- else}}{{.Text}}{{end}}
{{- end}}{{end -}}
<article class="scim-guide">
<h1>{{.Title}}</h1>
{{range .Sections -}}
<section id="scim-{{.ID}}">
<h2>{{template "spans" .Title}}</h2>
{{range .Blocks -}}
{{if eq .Kind "heading"}}<h3>{{template "spans" index .Items 0}}</h3>
{{else if eq .Kind "code"}}<pre><code>{{.Text}}</code></pre>
{{else if eq .Kind "steps"}}<ol>
{{range .Items}}<li>{{template "spans" .}}</li>
{{end}}</ol>
{{else if eq .Kind "list"}}<ul>
{{range .Items}}<li>{{template "spans" .}}</li>
{{end}}</ul>
{{else if eq .Kind "table"}}<table>
<thead><tr>{{range .Head}}<th>{{template "spans" .}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr>{{range .}}<td>{{template "spans" .}}</td>{{end}}</tr>
{{end}}</tbody>
</table>
{{else}}<p>{{template "spans" index .Items 0}}</p>
{{end}}{{end -}}
</section>
{{end -}}
</article>
`
